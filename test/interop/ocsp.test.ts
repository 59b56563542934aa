/** OCSP responses that are real, stapled for and by the `openssl` program. */
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { missing, opensslClient, opensslServer } from '../helpers/tools.js';

const skip = missing('openssl', 'openssl');

/** What the shared intermediate, as its own responder, says of the shared server: that it is good. */
async function goodResponse(t: Test): Promise<(name: string) => string> {
  const [server, intermediate] = [await pki.server(), await pki.intermediate()];
  const folder = t.testdir({
    'root.pem': (await pki.root()).cert,
    'server.key': server.key,
    'server.pem': server.cert,
    'authority.key': intermediate.key,
    'authority.pem': intermediate.cert,
    'index.txt': `V\t491231235959Z\t\t${server.x509.serialNumber}\tunknown\t/CN=localhost\n`,
  });
  const file = (name: string): string => path.join(folder, name);
  const issuer = ['-issuer', file('authority.pem'), '-cert', file('server.pem')];
  await run(t, 'openssl', ['ocsp', ...issuer, '-no_nonce', '-reqout', file('request.der')]);
  const { code, stderr } = await run(t, 'openssl', [
    ...['ocsp', '-index', file('index.txt'), '-CA', file('authority.pem'), '-ndays', '1'],
    ...['-rsigner', file('authority.pem'), '-rkey', file('authority.key')],
    ...['-reqin', file('request.der'), '-respout', file('response.der')],
  ]);
  t.equal(code, 0, stderr);
  return file;
}

t.test('stapled by openssl, stapled for openssl', { skip }, async (t) => {
  const file = await goodResponse(t);
  const response = readFileSync(file('response.der'));
  const { port } = await tlsServer(t, { OCSPCallback: () => response });
  const connector = new TlsConnector(
    new ClientConfig({ ca: (await pki.root()).cert, requestOCSP: true }),
  );
  for (const version of ['-tls1_2', '-tls1_3']) {
    const trust = ['-CAfile', file('root.pem'), '-verify_return_error'];
    const seen = await opensslClient(t, port, [version, '-status', ...trust]);
    t.match(seen.stdout, 'OCSP Response Status: successful', version);
    t.match(seen.stdout, 'Cert Status: good');

    const server = await opensslServer(t, [
      ...[version, '-key', file('server.key'), '-cert', file('server.pem')],
      ...['-cert_chain', file('authority.pem'), '-status_file', file('response.der'), '-rev'],
    ]);
    const stream = await connector.connect('localhost', net.connect(server.port, '127.0.0.1'));
    t.same(stream.ocspResponse, response, `${version}, from openssl`);
    stream.destroy();
  }
});
