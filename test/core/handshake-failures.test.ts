/**
 * Peers that are confused, hostile or silent. Each ends as one clear error within the handshake
 * timeout, no plaintext ever leaves, and the service goes on serving.
 */
import { ClientConfig, ServerConfig, TlsAcceptor, TlsConnector } from '@node-aws-lc/core';
import net from 'node:net';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import { clientOptions, connected, sent, serverOptions } from '../helpers/handshake.js';
import { type TestServer, tlsServer } from '../helpers/server.js';
import { duplexes, listener, tcpPair, transports } from '../helpers/transports.js';
import { type CodedError, nextEvent, rejection, within } from '../helpers/wait.js';
import { parseRecords, recordTypes } from '../helpers/wire.js';

/** The first bytes of a ClientHello: a record header that promises more than follows. */
const beginningOfHello = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 0xfc]);

const garbage: Record<string, [bytes: Buffer, code: RegExp]> = {
  'a plaintext HTTP request': [
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    /^ERR_SSL_HTTP_REQUEST$/,
  ],
  'a plaintext POST request': [
    Buffer.from('POST /login HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    /^ERR_SSL_HTTP_REQUEST$/,
  ],
  'a CONNECT request': [
    Buffer.from('CONNECT example.test:443 HTTP/1.1\r\n\r\n'),
    /^ERR_SSL_HTTPS_PROXY_REQUEST$/,
  ],
  'an h2 preface in the clear': [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /^ERR_SSL_/],
  'an SSH banner': [Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), /^ERR_SSL_WRONG_VERSION_NUMBER$/],
  'random bytes': [Buffer.alloc(4096, 0xa5), /^ERR_SSL_WRONG_VERSION_NUMBER$/],
  zeros: [Buffer.alloc(4096), /^ERR_SSL_/],
  'a record that is too long': [
    Buffer.concat([Buffer.from([22, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000)]),
    /^ERR_SSL_/,
  ],
  'application data before a handshake': [
    Buffer.from([23, 3, 3, 0, 5, 1, 2, 3, 4, 5]),
    /^ERR_SSL_UNEXPECTED_RECORD$/,
  ],
  'a hello of nonsense': [
    Buffer.concat([Buffer.from([22, 3, 1, 0, 40, 1, 0, 0, 36]), Buffer.alloc(36, 0xee)]),
    /^ERR_SSL_/,
  ],
  'an alert': [Buffer.from([21, 3, 1, 0, 2, 2, 40]), /^ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE$/],
};

/** Sends `bytes` to a server and returns what it answers until it closes. */
async function answerTo(t: Test, port: number, bytes: Buffer): Promise<Buffer> {
  const socket = net.connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  const answer: Buffer[] = [];
  socket.on('data', (chunk) => answer.push(chunk));
  socket.write(bytes);
  await nextEvent(socket, 'close');
  return Buffer.concat(answer);
}

/** A right client is still served. */
async function stillServes(t: Test, server: TestServer): Promise<void> {
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  const client = await connector.connect('localhost', net.connect(server.port, '127.0.0.1'));
  t.equal(await sent(client, client, 'still here'), 'still here');
  client.destroy();
}

for (const [what, [bytes, code]] of Object.entries(garbage)) {
  t.test(`${what} instead of a ClientHello`, async (t) => {
    const server = await tlsServer(t);
    const answer = await answerTo(t, server.port, bytes);
    const error = await server.failed();
    t.match(error, { code, side: 'server' }, error.message);
    const records = parseRecords(answer);
    t.ok(records.length <= 1, 'at most one record is answered');
    for (const record of records) {
      t.equal(record.type, recordTypes.alert);
      t.equal(record.body[0], 2, 'a fatal one');
      t.match(error.alert, { direction: 'sent', code: record.body[1] }, 'the error tells which');
    }
    await stillServes(t, server);
  });
}

t.test('a connection that says nothing is closed by the handshake timeout', async (t) => {
  const server = await tlsServer(t, { handshakeTimeout: 150 });
  const start = Date.now();
  t.same(await answerTo(t, server.port, Buffer.alloc(0)), Buffer.alloc(0));
  const took = Date.now() - start;
  t.ok(took >= 140 && took < 3000, `after ${took} ms`);
  t.match(await server.failed(), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT', side: 'server' });
  await stillServes(t, server);
});

t.test('a hello that drips in does not put the handshake timeout off', async (t) => {
  const server = await tlsServer(t, { handshakeTimeout: 200 });
  const socket = net.connect(server.port, '127.0.0.1').on('error', () => {});
  const drip = setInterval(() => socket.write(Buffer.from([0])), 20);
  t.teardown(() => clearInterval(drip));
  socket.write(beginningOfHello);
  await nextEvent(socket.resume(), 'close');
  t.match(await server.failed(), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT', side: 'server' });
});

t.test('the timeout of one accept comes before the configuration’s', async (t) => {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const { server, client } = await tcpPair(t);
  const error = await rejection(acceptor.accept(server, { handshakeTimeout: 50 }));
  t.match(error, { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  await nextEvent(client.resume(), 'close');
});

for (const kind of ['tcp', 'duplex'] as const) {
  t.test(`a server that says nothing is given up by the client, over ${kind}`, async (t) => {
    const connector = new TlsConnector(new ClientConfig(await clientOptions()));
    const { client, server } = await transports(t, kind);
    const outcome = connector.connect('localhost', client, { handshakeTimeout: 50 });
    t.match(await rejection(outcome), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT', side: 'client' });
    t.ok(client.destroyed);
    await nextEvent(server.resume(), 'end');
  });
}

t.test('a peer that hangs up in the handshake is ECONNRESET', async (t) => {
  const server = await tlsServer(t);
  for (const [index, bytes] of [Buffer.alloc(0), beginningOfHello].entries()) {
    const socket = net.connect(server.port, '127.0.0.1').resume();
    socket.end(bytes);
    await nextEvent(socket, 'close');
    const error = await server.failed(index + 1);
    t.match(error, { code: 'ECONNRESET', side: 'server' });
  }
  const reset = net.connect(server.port, '127.0.0.1');
  await nextEvent(reset, 'connect');
  reset.write(beginningOfHello);
  await sleep(20);
  reset.resetAndDestroy();
  t.match(await server.failed(3), { code: 'ECONNRESET', side: 'server' });
  await stillServes(t, server);
});

t.test('a server that hangs up in the handshake is ECONNRESET for the client', async (t) => {
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  for (const hangUp of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const { port } = await listener(t, (socket) => {
      socket.on('error', () => {}).once('data', () => socket[hangUp]());
    });
    const error = await rejection(connector.connect('localhost', net.connect(port, '127.0.0.1')));
    t.match(error, { code: 'ECONNRESET', side: 'client' }, hangUp);
  }
  const memory = duplexes(t);
  const outcome = rejection(connector.connect('localhost', memory.client));
  memory.server.resume().end();
  t.match(await outcome, { code: 'ECONNRESET', side: 'client' });
});

/**
 * Level and number of an alert, and the code that `node:tls` gives for it when it answers a hello. For an alert that
 * nobody knows, `node:tls` waits for the FIN.
 */
const alerts: Record<string, [level: number, alert: number, code: string]> = {
  'close_notify, which says no more than a FIN': [1, 0, 'ECONNRESET'],
  'close_notify as a fatal alert': [2, 0, 'ECONNRESET'],
  'a warning and a FIN': [1, 112, 'ECONNRESET'],
  missing_extension: [2, 109, 'ERR_SSL_TLSV13_ALERT_MISSING_EXTENSION'],
  unsupported_extension: [2, 110, 'ERR_SSL_TLSV1_UNSUPPORTED_EXTENSION'],
  certificate_unobtainable: [2, 111, 'ERR_SSL_TLSV1_CERTIFICATE_UNOBTAINABLE'],
  unrecognized_name: [2, 112, 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME'],
  bad_certificate_status_response: [2, 113, 'ERR_SSL_TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE'],
  bad_certificate_hash_value: [2, 114, 'ERR_SSL_TLSV1_BAD_CERTIFICATE_HASH_VALUE'],
  certificate_required: [2, 116, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  'an alert that nobody knows': [2, 200, 'ERR_SSL_UNKNOWN_ALERT_TYPE'],
};

for (const [what, [level, alert, code]] of Object.entries(alerts)) {
  t.test(`${what} instead of a ServerHello`, async (t) => {
    const connector = new TlsConnector(new ClientConfig(await clientOptions()));
    const { port } = await listener(t, (socket) => {
      const record = Buffer.from([21, 3, 3, 0, 2, level, alert]);
      socket.on('error', () => {}).once('data', () => socket.end(record));
    });
    const error = await rejection(connector.connect('localhost', net.connect(port, '127.0.0.1')));
    t.match(error, { code, side: 'client' });
    if (code !== 'ECONNRESET') t.match(error, { alert: { direction: 'received', code: alert } });
    t.notMatch(error.message, 'alert alert');
  });
}

t.test('a client that reaches a server without TLS', async (t) => {
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  const replies = {
    'an HTTP server': 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
    'an SSH server': 'SSH-2.0-OpenSSH_9.2\r\n',
    'a mail server': '220 mail.test ESMTP\r\n',
  };
  for (const [what, reply] of Object.entries(replies)) {
    const received: Buffer[] = [];
    const { port } = await listener(t, (socket) => {
      socket.on('data', (chunk) => received.push(chunk)).on('error', () => {});
      socket.write(reply);
    });
    const error = await rejection(connector.connect('localhost', net.connect(port, '127.0.0.1')));
    t.match(error, { code: 'ERR_SSL_WRONG_VERSION_NUMBER', side: 'client' }, what);
    await sleep(20);
    t.doesNotThrow(() => parseRecords(Buffer.concat(received)), 'nothing left but TLS records');
  }
});

t.test('nothing leaks and nothing stops, whatever came', async (t) => {
  const server = await tlsServer(t, { handshakeTimeout: 100 });
  const round = () =>
    Promise.all(Object.values(garbage).map(([bytes]) => answerTo(t, server.port, bytes)));
  await round();
  const before = await settledDescriptorCount(0, 300);
  for (let i = 0; i < 5; i++) await round();
  t.ok((await settledDescriptorCount(before)) <= before, `${descriptorCount()} descriptors`);
  await stillServes(t, server);
});

t.test(
  'a damaged record after the handshake is one error with its alert on each side',
  async (t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const [near, far] = [duplexes(t), duplexes(t)];
      let damage = false;
      near.server.on('data', (chunk: Buffer) => {
        const copy = Buffer.from(chunk);
        if (damage) copy[copy.length - 1]! ^= 1;
        far.server.write(copy);
      });
      far.server.on('data', (chunk: Buffer) => near.server.write(chunk));
      const transport = { client: near.client, server: far.client };
      const { client, server } = await connected(t, { server: { maxVersion }, transport });
      t.equal(await sent(client, server, 'intact'), 'intact');
      const errors = Promise.all([client, server].map(errorOf));
      damage = true;
      client.write('damaged');
      const [atClient, atServer] = (await within('both errors', errors)) as [
        CodedError,
        CodedError,
      ];
      t.match(atServer, {
        code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
        side: 'server',
        alert: { direction: 'sent', code: 20 },
      });
      t.match(atClient, {
        code: 'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC',
        alert: { direction: 'received', code: 20 },
      });
      t.equal(server.read(), null, 'nothing of it is delivered');
    }
  },
);

async function errorOf(stream: net.Socket): Promise<CodedError> {
  const [error] = await nextEvent(stream.resume(), 'error');
  return error as CodedError;
}
