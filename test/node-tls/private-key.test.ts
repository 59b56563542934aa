/** Keys that live elsewhere, through node:tls's functions. */
import {
  connect,
  createServer,
  type RemotePrivateKey,
  type ServerOptions,
  type TlsConnectOptions,
  type TLSSocket,
} from '@node-aws-lc/core';
import { createHttpsAgent } from '@node-aws-lc/undici-connector';
import { sign } from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { Identity } from '../helpers/certificate.js';
import * as pki from '../helpers/pki.js';
import { rejection, within } from '../helpers/wait.js';

/** Options of an end whose key signs elsewhere, and what it has signed. */
function elsewhere({ privateKey, chain }: Identity) {
  const signed: string[] = [];
  const remote: RemotePrivateKey = {
    algorithms: ['ecdsa_secp256r1_sha256'],
    async sign(algorithm, data) {
      signed.push(algorithm);
      return sign('sha256', data, privateKey);
    },
  };
  return { options: { privateKey: remote, cert: chain }, signed };
}

/** Serves every client with a word about its certificate. */
async function serve(t: Test, options: ServerOptions, contexts: Record<string, object> = {}) {
  const server = createServer(options, (socket) => {
    socket.on('error', () => {}).end(String(socket.authorized));
  });
  for (const [name, context] of Object.entries(contexts)) server.addContext(name, context);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function call(port: number, options: TlsConnectOptions = {}): Promise<string> {
  const { cert: ca } = await pki.root();
  const made = { port, host: '127.0.0.1', servername: 'localhost', ca, ...options };
  const socket: TLSSocket = connect(made);
  return within('the answer', text(socket));
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a server signs elsewhere, ${maxVersion}`, async (t) => {
    const { options, signed } = elsewhere(await pki.server());
    const port = await serve(t, options);
    t.equal(await call(port, { maxVersion }), 'false');
    t.same(signed, ['ecdsa_secp256r1_sha256']);
  });

  t.test(`the context of a name signs elsewhere, ${maxVersion}`, async (t) => {
    const { key, chain: cert } = await pki.untrustedServer();
    const { options, signed } = elsewhere(await pki.server());
    const port = await serve(t, { key, cert }, { localhost: options });
    t.equal(await call(port, { maxVersion }), 'false');
    t.same(signed, ['ecdsa_secp256r1_sha256']);
  });

  t.test(`a client signs elsewhere, ${maxVersion}`, async (t) => {
    const { key, chain: cert } = await pki.server();
    const { cert: ca } = await pki.clientRoot();
    const { options, signed } = elsewhere(await pki.client());
    const port = await serve(t, { key, cert, ca, requestCert: true });
    t.equal(await call(port, { ...options, maxVersion }), 'true');
    t.same(signed, ['ecdsa_secp256r1_sha256']);
  });
}

t.test('the requests of an agent are signed elsewhere', async (t) => {
  const { key, chain: cert } = await pki.server();
  const { cert: clientCa } = await pki.clientRoot();
  const { options, signed } = elsewhere(await pki.client());
  const server = https.createServer({ key, cert, ca: clientCa, requestCert: true });
  server.on('request', (_request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const agent = createHttpsAgent({ ca: (await pki.root()).cert, ...options });
  const answer = new Promise<string>((resolve, reject) => {
    https
      .get({ port, host: 'localhost', agent }, (response) => resolve(text(response)))
      .on('error', reject);
  });
  t.equal(await within('the answer', answer), 'ok');
  t.same(signed, ['ecdsa_secp256r1_sha256']);
});

t.test('a signer that fails fails the handshake with its error', async (t) => {
  const { options } = elsewhere(await pki.server());
  const cause = new Error('module on fire');
  const privateKey = { ...options.privateKey, sign: () => Promise.reject(cause) };
  const server = createServer({ ...options, privateKey });
  const failed = once(server, 'tlsClientError');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  await rejection(call((server.address() as AddressInfo).port));
  t.match(await failed, [{ code: 'ERR_AWS_LC_PRIVATE_KEY', cause }]);
});
