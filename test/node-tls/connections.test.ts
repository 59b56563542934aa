/** The functions and classes that have `node:tls`'s names, used as its users use them. */
import * as core from '@node-aws-lc/core';
import { createRequire } from 'node:module';
import net from 'node:net';
import { duplexPair } from 'node:stream';
import nodeTls from 'node:tls';
import t, { type Test } from 'tap';
import { readAll } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { run } from '../helpers/children.js';
import { type CodedError, nextEvent, thrown } from '../helpers/wait.js';

/** The object that users of `node:tls` assign to. */
const assignable = createRequire(__filename)('@node-aws-lc/core') as Record<string, unknown>;

async function listening(
  t: Test,
  options: core.ServerOptions = {},
  onSecure: (socket: core.TLSSocket) => void = (socket) => void socket.end('hello'),
): Promise<{ server: core.Server; port: number }> {
  const { key, chain } = await pki.server();
  const server = core.createServer({ key, cert: chain, ...options }, onSecure);
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as net.AddressInfo).port };
}

async function clientOptions(): Promise<core.TlsConnectOptions> {
  return { host: '127.0.0.1', ca: (await pki.root()).cert };
}

t.test('connect takes its arguments in every form that tls.connect takes', async (t) => {
  const { port } = await listening(t);
  const options = await clientOptions();
  const forms: (() => core.TLSSocket)[] = [
    () => core.connect({ ...options, port }),
    () => core.connect(port, options),
    () => core.connect(port, '127.0.0.1', options),
  ];
  for (const form of forms) {
    const socket = form();
    t.equal(socket.connecting, true, 'returned at once');
    t.equal(socket.authorized, false);
    await nextEvent(socket, 'secureConnect');
    t.equal(socket.authorized, true);
    t.ok(socket instanceof core.TLSSocket);
    t.ok(socket instanceof core.TlsStream);
    t.ok(socket instanceof net.Socket);
    t.equal((await readAll(socket)).toString(), 'hello');
  }
});

t.test('what is written and ended before the handshake arrives after it', async (t) => {
  let received: Promise<Buffer> | undefined;
  const { port } = await listening(t, {}, (socket) => {
    received = readAll(socket);
  });
  const socket = core.connect({ ...(await clientOptions()), port });
  const events: string[] = [];
  for (const name of ['connect', 'secure', 'secureConnect']) {
    socket.on(name, () => events.push(name));
  }
  socket.write('one ');
  socket.write('two ');
  socket.end('three');
  await nextEvent(socket.resume(), 'close');
  t.same(events, ['connect', 'secure', 'secureConnect']);
  t.equal((await received)?.toString(), 'one two three');
});

t.test('connect runs over any Duplex, and TLSSocket is its server', async (t) => {
  const { key, chain } = await pki.server();
  const [one, other] = duplexPair();
  const secureContext = core.createSecureContext({ key, cert: chain });
  const server = new core.TLSSocket(other, { isServer: true, secureContext });
  const client = core.connect({ ...(await clientOptions()), socket: one, servername: 'localhost' });
  await Promise.all([nextEvent(client, 'secureConnect'), nextEvent(server, 'secure')]);
  t.equal(server.servername, 'localhost');
  server.end('through a pair');
  t.equal((await readAll(client)).toString(), 'through a pair');
});

t.test('a stranger is refused, and recorded where he is not to be refused', async (t) => {
  const { server, port } = await listening(t);
  const failed = nextEvent(server, 'tlsClientError');
  const refused = core.connect({ port, host: '127.0.0.1' });
  const [error] = (await nextEvent(refused, 'error')) as [CodedError];
  t.equal(error.code, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
  await failed;
  const admitted = core.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await nextEvent(admitted, 'secureConnect');
  t.equal(admitted.authorized, false);
  t.equal(admitted.authorizationError, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
  admitted.destroy();
});

t.test('another name is refused with tls.checkServerIdentity’s error', async (t) => {
  const { port } = await listening(t);
  const socket = core.connect({ ...(await clientOptions()), port, servername: 'other.test' });
  const [error] = (await nextEvent(socket, 'error')) as [CodedError & { host?: string }];
  t.equal(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  t.equal(error.host, 'other.test');
});

t.test('DEFAULT_… and checkServerIdentity are looked up when they are needed', async (t) => {
  const { port } = await listening(t);
  const options = await clientOptions();
  const { DEFAULT_MAX_VERSION: max, checkServerIdentity: check } = core;
  t.teardown(() =>
    Object.assign(assignable, { DEFAULT_MAX_VERSION: max, checkServerIdentity: check }),
  );
  assignable['DEFAULT_MAX_VERSION'] = 'TLSv1.2';
  let asked = '';
  assignable['checkServerIdentity'] = (name: string) => void (asked = name);
  const socket = core.connect({ ...options, port });
  await nextEvent(socket, 'secureConnect');
  t.equal(socket.getProtocol(), 'TLSv1.2');
  t.equal(asked, '127.0.0.1');
  socket.destroy();
});

t.test('the circular root, and node:tls agreeing about the certificate', async (t) => {
  const { port } = await listening(t, {}, (socket) => socket.resume());
  const options = await clientOptions();
  const ours = core.connect({ ...options, port });
  const theirs = nodeTls.connect({ ...(options as nodeTls.ConnectionOptions), port });
  await Promise.all([nextEvent(ours, 'secureConnect'), nextEvent(theirs, 'secureConnect')]);
  t.same(ours.getPeerCertificate().fingerprint256, theirs.getPeerCertificate().fingerprint256);
  let issuer = ours.getPeerCertificate(true);
  for (let depth = 0; depth < 5 && issuer.issuerCertificate !== issuer; depth++) {
    issuer = issuer.issuerCertificate;
  }
  t.equal(issuer.issuerCertificate, issuer, 'the root is its own issuer');
  t.same(issuer.subject, { CN: 'Test Root', O: 'node-aws-lc' });
  ours.destroy();
  theirs.destroy();
});

t.test('a server without new, contexts by name, ticket keys and a time-out', async (t) => {
  const wild = await pki.serverFor(['dns:*.wild.test']);
  const { server, port } = await listening(t, { handshakeTimeout: 300 });
  t.ok(core.Server() instanceof core.Server);
  server.addContext('*.wild.test', { key: wild.key, cert: wild.chain });
  t.equal(server.getTicketKeys().length, 48);
  server.setTicketKeys(Buffer.alloc(48, 7));
  t.ok(server.getTicketKeys().equals(Buffer.alloc(48, 7)));
  const socket = core.connect({ ...(await clientOptions()), port, servername: 'a.wild.test' });
  await nextEvent(socket, 'secureConnect');
  t.equal(socket.getPeerCertificate().subjectaltname, 'DNS:*.wild.test');
  const silent = net.connect(port, '127.0.0.1');
  const [error] = (await nextEvent(server, 'tlsClientError')) as [CodedError];
  t.equal(error.code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
  await nextEvent(silent.resume(), 'close');
});

t.test('ticket keys that setSecureContext is given stay for the contexts after it', async (t) => {
  const { key, chain: cert } = await pki.server();
  const server = core.createServer({ key, cert });
  const ticketKeys = Buffer.alloc(48, 7);
  server.setSecureContext({ key, cert, ticketKeys });
  t.same(server.getTicketKeys(), ticketKeys);
  server.setSecureContext({ key, cert });
  t.same(server.getTicketKeys(), ticketKeys);
  t.throws(() => server.setSecureContext({ key, cert: 'none', ticketKeys: Buffer.alloc(48, 8) }));
  t.same(server.getTicketKeys(), ticketKeys, 'whatever comes with a bad certificate');
});

t.test('a socket that is unreferenced while it connects lets the process end', async (t) => {
  // It never answers, so that the handshake would wait for ever.
  const silent = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await nextEvent(silent, 'listening');
  const { port } = silent.address() as net.AddressInfo;
  const forms = [
    `tls.connect(${port}, '127.0.0.1').unref()`,
    `tls.connect({ port: ${port}, host: 'localhost', family: 4 }).unref()`,
    `tls.connect({ socket: require('net').connect(${port}, '127.0.0.1') }).unref()`,
    `tls.connect({ socket: require('net').connect(${port}, '127.0.0.1').unref() })`,
  ];
  await Promise.all(
    forms.map(async (form) => {
      const program = `const tls = require('@node-aws-lc/core'); ${form}`;
      const ended = await run(t, process.execPath, ['-e', program]);
      t.equal(ended.code, 0, form);
    }),
  );
});

t.test('what Node refuses is refused with Node’s codes', async (t) => {
  const codes: [string, () => unknown][] = [
    ['ERR_INVALID_ARG_TYPE', () => core.createSecureContext({ ca: 7 })],
    ['ERR_TLS_INVALID_PROTOCOL_VERSION', () => core.createSecureContext({ minVersion: 'TLSv9' })],
    [
      'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
      () => core.createSecureContext({ minVersion: 'TLSv1.2', secureProtocol: 'TLS_method' }),
    ],
    ['ERR_TLS_INVALID_PROTOCOL_METHOD', () => core.createSecureContext({ secureProtocol: 'x' })],
    ['ERR_TLS_REQUIRED_SERVER_NAME', () => core.createServer().addContext('', {})],
    ['ERR_AWS_LC_CONFIG_UNSUPPORTED', () => core.createSecureContext({ pskCallback() {} })],
  ];
  for (const [code, action] of codes) t.equal(thrown(action).code, code);
});
