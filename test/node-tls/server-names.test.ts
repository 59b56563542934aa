/** What SNICallback, ALPNCallback and addContext of a server in node:tls's shape change about a connection, and what not. */
import * as tls from '@node-aws-lc/core';
import type net from 'node:net';
import nodeTls from 'node:tls';
import t, { type Test } from 'tap';
import * as pki from '../helpers/pki.js';
import { nextEvent, rejection } from '../helpers/wait.js';

type Context = { key: string; cert: string };

const NAME = 'other.example';

async function identity(): Promise<Context> {
  const { key, chain } = await pki.server();
  return { key, cert: chain };
}

async function otherIdentity(): Promise<Context> {
  const { key, chain } = await pki.serverRsa();
  return { key, cert: chain };
}

async function listen(t: Test, options: object): Promise<tls.Server> {
  const server = tls.createServer({ ...(await identity()), ...options });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket: tls.TLSSocket) => socket.on('error', () => {}));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await nextEvent(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/** A client of node:tls that asks for the other name. */
async function call(
  t: Test,
  server: tls.Server,
  options: nodeTls.ConnectionOptions = {},
): Promise<nodeTls.TLSSocket> {
  const { port } = server.address() as net.AddressInfo;
  const client = nodeTls.connect({
    port,
    host: '127.0.0.1',
    servername: NAME,
    rejectUnauthorized: false,
    ...options,
  });
  t.teardown(() => client.destroy());
  await new Promise((resolve, reject) => {
    client.once('secureConnect', resolve);
    client.once('error', reject);
  });
  return client;
}

/** 'P-256' for the server's own certificate, 'RSA' for the other one. */
function shown(client: nodeTls.TLSSocket): string {
  return client.getPeerX509Certificate()?.publicKey.asymmetricKeyType === 'rsa' ? 'RSA' : 'P-256';
}

t.test('a version that the server bars is barred under every name', async (t) => {
  const server = await listen(t, { minVersion: 'TLSv1.3' });
  server.addContext(NAME, await otherIdentity());
  const client = await call(t, server);
  t.equal(shown(client), 'RSA');
  t.equal(
    (await rejection(call(t, server, { maxVersion: 'TLSv1.2' }))).code,
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  );

  const older = await listen(t, { maxVersion: 'TLSv1.2' });
  older.addContext(NAME, await otherIdentity());
  t.equal((await call(t, older)).getProtocol(), 'TLSv1.2');
});

t.test('a suite that the server bars is barred under every name', async (t) => {
  const suites = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'];
  const server = await listen(t, { maxVersion: 'TLSv1.2', ciphers: suites.join(':') });
  server.addContext(NAME, await otherIdentity());
  t.equal((await call(t, server)).getCipher().name, suites[1]);
});

t.test('a client certificate is verified by the roots of the name', async (t) => {
  const server = await listen(t, { ca: (await pki.otherRoot()).cert, requestCert: true });
  server.addContext(NAME, { ...(await otherIdentity()), ca: (await pki.clientRoot()).cert });
  const { key, chain } = await pki.client();
  const connected = nextEvent(server, 'secureConnection');
  await call(t, server, { key, cert: chain });
  const [socket] = (await connected) as [tls.TLSSocket];
  t.equal(socket.authorized, true);
});

t.test('an OCSP response is asked for under every name', async (t) => {
  const server = await listen(t, {});
  server.addContext(NAME, await otherIdentity());
  const certificates: Buffer[] = [];
  server.on(
    'OCSPRequest',
    (certificate: Buffer, _issuer: unknown, done: (...args: unknown[]) => void) => {
      certificates.push(certificate);
      done(null, Buffer.from('response'));
    },
  );
  const { port } = server.address() as net.AddressInfo;
  const client = nodeTls.connect({
    port,
    servername: NAME,
    rejectUnauthorized: false,
    // Not in the types of node:tls.
    requestOCSP: true,
  } as nodeTls.ConnectionOptions);
  t.teardown(() => client.destroy());
  const [response] = (await nextEvent(client, 'OCSPResponse')) as [Buffer];
  t.equal(response.toString(), 'response');
  t.same(certificates, [(await pki.serverRsa()).x509.raw]);
});

t.test('both callbacks have the socket as this', async (t) => {
  const seen: unknown[] = [];
  const server = await listen(t, {
    SNICallback(this: unknown, _name: string, done: (...args: unknown[]) => void) {
      seen.push(this);
      done(null);
    },
    ALPNCallback(this: unknown) {
      seen.push(this);
      return 'one';
    },
  });
  const connected = nextEvent(server, 'secureConnection');
  await call(t, server, { ALPNProtocols: ['one'] });
  const [socket] = await connected;
  t.equal(seen.length, 2);
  t.ok(seen.every((it) => it === socket));
});

t.test('setKeyCert changes what the server proves itself with, and nothing else', async (t) => {
  const other = await otherIdentity();
  const trusted = (await pki.clientRoot()).cert;
  for (const context of [other, tls.createSecureContext(other)]) {
    const server = await listen(t, {
      minVersion: 'TLSv1.3',
      requestCert: true,
      ca: trusted,
      ALPNCallback(this: tls.TLSSocket) {
        this.setKeyCert(context);
        return 'acme-tls/1';
      },
    });
    const { key, chain } = await pki.client();
    const connected = nextEvent(server, 'secureConnection');
    const client = await call(t, server, { key, cert: chain, ALPNProtocols: ['acme-tls/1'] });
    const [socket] = (await connected) as [tls.TLSSocket];
    t.equal(shown(client), 'RSA');
    t.equal(socket.authorized, true, 'by the roots of the server');
    const tooOld = { maxVersion: 'TLSv1.2', ALPNProtocols: ['acme-tls/1'] } as const;
    t.ok(await rejection(call(t, server, tooOld)));
  }
});
