/** What TLSSocket tells and takes beside data, and options that change how contexts behave. */
import * as tls from '@node-aws-lc/core';
import { constants } from 'node:crypto';
import type net from 'node:net';
import nodeTls from 'node:tls';
import t, { type Test } from 'tap';
import { run } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { nextEvent } from '../helpers/wait.js';

type Options = Record<string, unknown>;

/** A connection between this library's two ends, or from a client of node:tls. */
async function pair(
  t: Test,
  options: { server?: Options; client?: Options; caller?: object } = {},
) {
  const { key, chain } = await pki.server();
  const server = tls.createServer({ key, cert: chain, ktls: 'off', ...options.server });
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const { connect } = (options.caller ?? tls) as typeof tls;
  const client = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: (await pki.root()).cert,
    ktls: 'off',
    ...options.client,
  } as never);
  client.on('error', () => {});
  t.teardown(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  const [[served]] = await Promise.all([
    nextEvent(server, 'secureConnection'),
    nextEvent(client, 'secureConnect'),
  ]);
  return { client, served: served as InstanceType<typeof tls.TLSSocket> };
}

t.test('both ends can tell which signature algorithms they share', async (t) => {
  const sigalgs = 'ecdsa_secp256r1_sha256:RSA-PSS+SHA256:ed25519';
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const server = { sigalgs, maxVersion };
    const { client, served } = await pair(t, {
      server,
      client: { sigalgs: 'ed25519:RSA+SHA256:ECDSA+SHA256' },
    });
    t.same(served.getSharedSigalgs(), ['ECDSA+SHA256', 'Ed25519+UNDEF'], maxVersion);
    t.same(client.getSharedSigalgs(), [], 'a client that was asked for no certificate');
  }
  const asking = {
    requestCert: true,
    rejectUnauthorized: false,
    ca: (await pki.clientRoot()).cert,
  };
  const { client } = await pair(t, { server: { ...asking, sigalgs } });
  t.ok(client.getSharedSigalgs().includes('RSA-PSS+SHA256'), 'one that was asked');
});

t.test('names of signature algorithms are those of node:tls', async (t) => {
  const { key, chain } = await pki.server();
  const server = nodeTls.createServer({ key, cert: chain }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await nextEvent(server, 'listening');
  const client = tls.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: (await pki.root()).cert,
  });
  const [served] = (await nextEvent(server, 'secureConnection')) as [nodeTls.TLSSocket];
  const theirs = served.getSharedSigalgs();
  client.destroy();
  const { served: ours } = await pair(t);
  const shared = ours.getSharedSigalgs();
  t.ok(shared.length >= 8, `${shared.length} algorithms`);
  for (const name of shared) t.ok(theirs.includes(name), name);
});

t.test('a client tells the ticket that its session is resumed with', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const { client, served } = await pair(t, { server: { maxVersion } });
    if (maxVersion === 'TLSv1.3' && client.getTLSTicket() === undefined) {
      await nextEvent(client, 'session');
    }
    const ticket = client.getTLSTicket() as Buffer;
    t.ok(ticket.length > 16, maxVersion);
    t.ok((client.getSession() as Buffer).includes(ticket), 'the one that is in the session');
    t.equal(served.getTLSTicket(), undefined, 'a server has none');
    client.destroy();
    t.equal(client.getTLSTicket(), undefined);
  }
});

t.test('setMaxSendFragment limits the records to come', async (t) => {
  const { client, served } = await pair(t, { caller: nodeTls });
  t.equal(served.setMaxSendFragment(511), false);
  t.equal(served.setMaxSendFragment(16_385), false);
  t.throws(() => served.setMaxSendFragment('512' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => served.setMaxSendFragment(), { code: 'ERR_INVALID_ARG_TYPE' }, 'as in Node');
  t.throws(() => served.setMaxSendFragment(512.5), { code: 'ERR_OUT_OF_RANGE' });
  t.equal(served.setMaxSendFragment(512), true);
  // node:tls hands on one record at a time, at most.
  const sizes: number[] = [];
  let received = 0;
  const all = new Promise<void>((resolve) => {
    client.on('data', (chunk: Buffer) => {
      sizes.push(chunk.length);
      received += chunk.length;
      if (received === 10_000) resolve();
    });
  });
  const raw = client as unknown as { bytesRead: number };
  const before = raw.bytesRead;
  served.write(Buffer.alloc(10_000));
  await all;
  const overhead = raw.bytesRead - before - 10_000;
  t.equal(received, 10_000);
  t.ok(overhead >= 20 * 22 || Math.max(...sizes) <= 512, 'it came in twenty records');
});

t.test('a client that was resumed tells the ticket of the session that it offered', async (t) => {
  const ticketKeys = Buffer.alloc(48, 7);
  const { client: first } = await pair(t, { server: { ticketKeys } });
  if (first.getTLSTicket() === undefined) await nextEvent(first, 'session');
  const session = first.getSession() as Buffer;
  const ticket = first.getTLSTicket() as Buffer;
  const tickets: unknown[] = [];
  const { client } = await pair(t, {
    server: { ticketKeys },
    client: { session },
    caller: {
      connect(options: tls.TlsConnectOptions) {
        const socket = tls.connect(options);
        return socket.once('secureConnect', () => tickets.push(socket.getTLSTicket()));
      },
    },
  });
  t.equal(client.isSessionReused(), true);
  t.same(tickets, [ticket]);
});

t.test(
  'enableTrace prints records and messages, of the connections that it was asked for',
  async (t) => {
    const { key, chain } = await pki.server();
    const program = `
    const tls = require('@node-aws-lc/core');
    const [key, cert] = JSON.parse(process.env.IDENTITY);
    const server = tls.createServer({ key, cert, enableTrace: process.argv[1] === 'server', ktls: 'off' });
    server.on('secureConnection', (socket) => socket.end('x')).on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const options = { servername: 'localhost', rejectUnauthorized: process.argv[2] === 'refuses' };
      const client = tls.connect(port, '127.0.0.1', { ...options, ALPNProtocols: ['a"b\\n'] });
      if (process.argv[1] === 'client') client.enableTrace();
      client.on('error', () => {}).on('close', () => server.close()).resume();
    });
  `;
    const env = { IDENTITY: JSON.stringify([key, chain]) };
    const trace = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await run(t, process.execPath, ['-e', program, ...args], { env });
      t.equal(code, 0, stderr);
      return stderr;
    };
    const [server, client, refusal] = await Promise.all([
      trace('server'),
      trace('client'),
      trace('client', 'refuses'),
    ]);
    t.match(server, /server 127\.0\.0\.1:\d+: Received Record: Handshake, TLSv1, \d+ bytes\n/);
    t.match(server, /Received Handshake: ClientHello, .* suites 0x1301 .* server_name="localhost"/);
    t.match(server, 'application_layer_protocol_negotiation="a\\"b\\n"');
    t.match(server, /Sent Handshake: ServerHello, .* suite 0x13/);
    t.match(server, 'Sent Alert: warning close_notify');
    t.notMatch(server, ': client');
    t.match(client, 'client 127.0.0.1:');
    t.match(client, 'Sent Handshake: ClientHello');
    t.match(client, 'Received Handshake: NewSessionTicket');
    t.notMatch(client, ': server');
    t.match(refusal, 'Sent Alert: fatal unknown_ca');
    t.throws(() => tls.connect({ port: 1, enableTrace: 1 }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  },
);

t.test('context.addCACert trusts beside what is trusted already', async (t) => {
  const secureContext = tls.createSecureContext();
  await t.rejects(pair(t, { client: { ca: undefined, secureContext } }));
  secureContext.context.addCACert((await pki.root()).cert);
  const { client } = await pair(t, { client: { ca: undefined, secureContext } });
  t.equal(client.authorized, true);

  const own = tls.createSecureContext({ ca: (await pki.otherRoot()).cert });
  own.context.addCACert((await pki.root()).cert);
  t.equal((await pair(t, { client: { secureContext: own } })).client.authorized, true);
  t.throws(() => own.context.addCACert('nothing'), { code: 'ERR_AWS_LC_CONFIG_CA' });
});

t.test('roots are added by a program that replaces createSecureContext', async (t) => {
  const { cert } = await pki.root();
  const program = `
    const tls = require('@node-aws-lc/core');
    const { createSecureContext } = tls;
    tls.createSecureContext = (options) => {
      const made = createSecureContext(options);
      made.context.addCACert(process.env.ROOT);
      return made;
    };
    const socket = tls.connect(Number(process.argv[1]), '127.0.0.1', { servername: 'localhost' });
    socket.on('secureConnect', () => socket.end());
  `;
  const { key, chain } = await pki.server();
  const server = nodeTls.createServer({ key, cert: chain }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await nextEvent(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const ended = await run(t, process.execPath, ['-e', program, String(port)], {
    env: { ROOT: cert },
  });
  t.equal(ended.code, 0, ended.stderr);
});

t.test('what cannot be had is refused by name', async (t) => {
  const unknown = { secureOptions: constants.SSL_OP_COOKIE_EXCHANGE };
  t.throws(() => tls.createSecureContext(unknown), {
    code: 'ERR_AWS_LC_CONFIG_UNSUPPORTED',
    option: 'secureOptions',
  });
});

t.test('the switches of OpenSSL that are in use are taken', async (t) => {
  const harmless =
    constants.SSL_OP_ALL | constants.SSL_OP_LEGACY_SERVER_CONNECT | constants.SSL_OP_NO_SSLv3;
  t.doesNotThrow(() => tls.createSecureContext({ secureOptions: harmless }));

  const { client } = await pair(t, { client: { secureOptions: constants.SSL_OP_NO_TLSv1_3 } });
  t.equal(client.getProtocol(), 'TLSv1.2');
  const { client: newer } = await pair(t, {
    server: { secureOptions: constants.SSL_OP_NO_TLSv1 | constants.SSL_OP_NO_TLSv1_2 },
  });
  t.equal(newer.getProtocol(), 'TLSv1.3');

  const refused = { code: 'ERR_AWS_LC_CONFIG_VERSION', option: 'secureOptions' };
  const none = constants.SSL_OP_NO_TLSv1_2 | constants.SSL_OP_NO_TLSv1_3;
  t.throws(() => tls.createSecureContext({ secureOptions: none }), refused);
  const gap = { minVersion: 'TLSv1.1', secureOptions: constants.SSL_OP_NO_TLSv1_2 };
  t.throws(() => tls.createSecureContext(gap), refused);
});

t.test('a server that does not honour its own order of suites takes the client’s', async (t) => {
  const [one, other] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
  const client = { ciphers: `${other}:${one}`, maxVersion: 'TLSv1.2' };
  const server = { ciphers: `${one}:${other}` };
  const { client: own } = await pair(t, { server, client });
  t.equal(own.getCipher()?.name, one);
  const { client: theirs } = await pair(t, {
    server: { ...server, honorCipherOrder: false },
    client,
  });
  t.equal(theirs.getCipher()?.name, other);
});

t.test('the default trust can be replaced', async (t) => {
  const before = tls.getCACertificates('default');
  t.teardown(() => tls.setDefaultCACertificates([...before]));
  await t.rejects(pair(t, { client: { ca: undefined } }));

  const { cert } = await pki.root();
  tls.setDefaultCACertificates([cert, cert]);
  t.equal(tls.getCACertificates('default').length, 1, 'each once');
  const { client } = await pair(t, { client: { ca: undefined } });
  t.equal(client.authorized, true);

  t.throws(() => tls.setDefaultCACertificates('' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => tls.setDefaultCACertificates([1 as never]), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => tls.setDefaultCACertificates(['not a certificate']), {
    code: 'ERR_CRYPTO_OPERATION_FAILED',
    message: /^No valid certificates found/,
  });
  const damaged = cert.replace(/\n.{20}/, '\n');
  t.throws(() => tls.setDefaultCACertificates([cert, damaged]), { code: 'ERR_OSSL_PEM_ASN1_LIB' });
  t.equal(tls.getCACertificates('default').length, 1, 'a mistake changes nothing');
});
