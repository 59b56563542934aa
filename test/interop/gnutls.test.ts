/** The library's server against `gnutls-cli`, an implementation that is nobody's fork. */
import path from 'node:path';
import t, { type Test } from 'tap';
import type { Ended } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { echo, tlsServer } from '../helpers/server.js';
import { gnutlsClient, missing } from '../helpers/tools.js';

const skip = missing('gnutls-cli', 'gnutls-bin');

/** Calls the server as a stranger would: SNI and verification for `localhost`. */
async function call(t: Test, port: number, args: string[] = []): Promise<Ended> {
  const folder = t.testdir({ 'root.pem': (await pki.root()).cert });
  const name = ['--sni-hostname', 'localhost', '--verify-hostname', 'localhost'];
  const trust = ['--x509cafile', path.join(folder, 'root.pem')];
  return gnutlsClient(t, port, [...trust, ...name, ...args], { input: 'a line\n' });
}

for (const [priority, protocol] of [
  ['NORMAL:-VERS-ALL:+VERS-TLS1.3', 'TLSv1.3'],
  ['NORMAL:-VERS-ALL:+VERS-TLS1.2', 'TLSv1.2'],
] as const) {
  t.test(`gnutls-cli verifies our chain and gets its echo, ${protocol}`, { skip }, async (t) => {
    const server = await tlsServer(t, { ALPNProtocols: ['h2', 'http/1.1'] });
    const { code, stdout } = await call(t, server.port, ['--priority', priority, '--alpn', 'h2']);
    t.equal(code, 0);
    t.match(stdout, 'The certificate is trusted');
    t.match(stdout, 'Handshake was completed');
    t.match(stdout, /Application protocol: h2/);
    t.match(stdout, /^a line$/m);
    t.match((await server.accepted()).negotiated, {
      protocol,
      alpn: 'h2',
      serverName: 'localhost',
    });
    t.same(server.failures, []);
  });
}

t.test('gnutls-cli with an RSA server and each AEAD', { skip }, async (t) => {
  const { key, chain: cert } = await pki.serverRsa();
  const server = await tlsServer(t, { key, cert });
  for (const cipher of ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']) {
    const priority = `NORMAL:-CIPHER-ALL:+${cipher}`;
    const { code, stdout } = await call(t, server.port, ['--priority', priority]);
    t.equal(code, 0, cipher);
    t.match(stdout, cipher);
  }
});

t.test('gnutls-cli resumes a session of a server that speaks first', { skip }, async (t) => {
  // AWS-LC sends its tickets with the first thing that the server writes.
  const server = await tlsServer(t, {}, (stream) => {
    stream.write('welcome\n');
    echo(stream);
  });
  const { code, stdout } = await call(t, server.port, ['--resume', '--waitresumption']);
  t.equal(code, 0);
  t.match(stdout, 'This is a resumed session');
});

t.test('gnutls-cli rekeys and we follow', { skip }, async (t) => {
  const server = await tlsServer(t);
  const folder = t.testdir({ 'root.pem': (await pki.root()).cert });
  const { code, stdout } = await gnutlsClient(
    t,
    server.port,
    [
      ...['--x509cafile', path.join(folder, 'root.pem'), '--verify-hostname', 'localhost'],
      ...['--inline-commands', '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3'],
    ],
    { input: 'before\n^rekey^\nafter\n' },
  );
  t.equal(code, 0);
  t.match(stdout, /^after$/m);
});

t.test('gnutls-cli is told when nothing fits', { skip }, async (t) => {
  const server = await tlsServer(t, { ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' });
  const old = await call(t, server.port, ['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2']);
  t.not(old.code, 0);
  t.match(old.stdout + old.stderr, /protocol version/i);
  t.match(await server.failed(), { code: 'ERR_SSL_UNSUPPORTED_PROTOCOL', alert: { code: 70 } });
});
