/** What the tracing channels and NODE_DEBUG tell, and what they cost when nobody listens. */
import {
  connect,
  type ConnectionTrace,
  type HandshakeTrace,
  type RemotePrivateKey,
} from '@node-aws-lc/core';
import { tracingChannel } from 'node:diagnostics_channel';
import path from 'node:path';
import t, { type Test } from 'tap';
import { runNode } from '../helpers/children.js';
import { connected, failedHandshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { tcpPair } from '../helpers/transports.js';
import { eventually, nextError } from '../helpers/wait.js';

interface Event<T> {
  name: string;
  trace: T;
}

/** Records what a channel publishes until the test ends. */
function record<T extends object>(t: Test, name: string): Event<T>[] {
  const events: Event<T>[] = [];
  const on = (name: string) => (trace: T) => void events.push({ name, trace });
  const subscribers = {
    start: on('start'),
    end: on('end'),
    asyncStart: on('asyncStart'),
    asyncEnd: on('asyncEnd'),
    error: on('error'),
  };
  const channel = tracingChannel<unknown, T>(name);
  channel.subscribe(subscribers);
  t.teardown(() => channel.unsubscribe(subscribers));
  return events;
}

t.test('a handshake and its connection are told of, on both sides', async (t) => {
  const handshakes = record<HandshakeTrace>(t, 'aws-lc:handshake');
  const connections = record<ConnectionTrace>(t, 'aws-lc:connection');
  const { client, server } = await connected(t, {
    server: { ALPNProtocols: ['h2'] },
    client: { ALPNProtocols: ['h2'] },
  });
  for (const side of ['client', 'server']) {
    const own = handshakes.filter(({ trace }) => trace.side === side);
    t.same(
      own.map(({ name }) => name),
      ['start', 'end', 'asyncStart', 'asyncEnd'],
    );
    t.equal(new Set(own.map(({ trace }) => trace)).size, 1, 'one object all along');
    t.match(own[0]?.trace, {
      side,
      serverName: 'localhost',
      protocol: 'TLSv1.3',
      cipher: /^TLS_/,
      group: 'X25519MLKEM768',
      alpn: 'h2',
      resumed: false,
      authorized: side === 'client',
      ktls: { tx: Boolean, rx: Boolean },
      remoteAddress: '127.0.0.1',
      remotePort: Number,
    });
    const { duration, error } = own[0]!.trace;
    t.ok(duration! > 0 && duration! < 10_000, `${duration} ms`);
    t.equal(error, undefined);
  }

  await sent(client, server, 'hello');
  client.end();
  server.end();
  await eventually(
    'both ends',
    () => connections.filter((e) => e.name === 'asyncEnd').length === 2,
  );
  const { trace } = connections.find((e) => e.trace.side === 'server')!;
  t.match(trace, { bytesRead: 5, bytesWritten: 0, closeNotifyReceived: true, cipher: /^TLS_/ });
  t.equal(trace.handshake, handshakes.find((e) => e.trace.side === 'server')?.trace);
  t.equal(trace.error, undefined);
});

t.test('a handshake that fails says why', async (t) => {
  const events = record<HandshakeTrace>(t, 'aws-lc:handshake');
  const connections = record<ConnectionTrace>(t, 'aws-lc:connection');
  const { key, chain: cert } = await pki.expiredServer();
  const failure = await failedHandshake(t, { server: { key, cert } });
  for (const side of ['client', 'server'] as const) {
    const own = events.filter(({ trace }) => trace.side === side);
    t.same(
      own.map(({ name }) => name),
      ['start', 'end', 'error', 'asyncStart', 'asyncEnd'],
    );
    t.equal(own[0]?.trace.error, failure[side]);
    t.equal(own[0]?.trace.serverName, 'localhost');
    t.type(own[0]?.trace.duration, 'number');
  }
  t.same(connections, [], 'there never was a connection');
});

t.test('a handshake that takes too long is one that fails', async (t) => {
  const events = record<HandshakeTrace>(t, 'aws-lc:handshake');
  const { client, server } = await tcpPair(t);
  const { ClientConfig, TlsConnector } = await import('@node-aws-lc/core');
  const connector = new TlsConnector(new ClientConfig({ handshakeTimeout: 50 }));
  await t.rejects(connector.connect('localhost', client), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  server.destroy();
  t.match(events.at(-1), {
    name: 'asyncEnd',
    trace: { error: { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' } },
  });
  t.ok(events.at(-1)!.trace.duration! > 0);
});

t.test('a handshake that waits for a signer in vain says for which name', async (t) => {
  const events = record<HandshakeTrace>(t, 'aws-lc:handshake');
  const { chain: cert } = await pki.server();
  const privateKey: RemotePrivateKey = {
    algorithms: ['ecdsa_secp256r1_sha256'],
    sign: () => new Promise<never>(() => {}),
  };
  await failedHandshake(t, {
    server: { cert, privateKey, key: undefined, handshakeTimeout: 100 },
  });
  const isServers = (e: Event<HandshakeTrace>) => e.trace.side === 'server';
  t.match(events.filter(isServers).at(-1), {
    name: 'asyncEnd',
    trace: { serverName: 'localhost', error: { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' } },
  });
});

t.test('a failed handshake of connect() says with whom', async (t) => {
  const events = record<HandshakeTrace>(t, 'aws-lc:handshake');
  const { port } = await tlsServer(t);
  await nextError(connect({ port, host: '127.0.0.1', servername: 'localhost', ca: [] }));
  const trace = { remoteAddress: '127.0.0.1', remotePort: port };
  t.match(events.filter((e) => e.trace.side === 'client').at(-1), { name: 'asyncEnd', trace });
});

t.test('a connection that breaks says so', async (t) => {
  const connections = record<ConnectionTrace>(t, 'aws-lc:connection');
  const { client, server } = await connected(t);
  server.on('error', () => {});
  client.resetAndDestroy();
  const isServers = (e: Event<ConnectionTrace>) => e.trace.side === 'server';
  await eventually('the end', () => connections.some((e) => isServers(e) && e.name === 'asyncEnd'));
  const { error } = connections.find(isServers)!.trace;
  t.match(error, { code: 'ECONNRESET' });
});

t.test('a subscriber that throws breaks no connection', async (t) => {
  const channel = tracingChannel<unknown, HandshakeTrace>('aws-lc:handshake');
  const start = () => {
    throw new Error('a subscriber');
  };
  channel.start.subscribe(start);
  t.teardown(() => channel.start.unsubscribe(start));
  const errors: Error[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => errors.push(error));
  t.teardown(() => process.setUncaughtExceptionCaptureCallback(null));
  await connected(t);
  await eventually('both errors', () => errors.length === 2);
  t.equal(errors[0]?.message, 'a subscriber');
});

t.test('NODE_DEBUG=aws-lc tells of each handshake and each end', async (t) => {
  const program = path.join(__dirname, 'programs', 'echo-once.js');
  const { code, stderr } = await runNode(t, program, [], { env: { NODE_DEBUG: 'aws-lc' } });
  t.equal(code, 0);
  t.match(
    stderr,
    /AWS-LC \d+: server 127\.0\.0\.1:\d+ \(localhost\): secured in [\d.]+ ms, TLSv1\.3/,
  );
  t.match(
    stderr,
    /client 127\.0\.0\.1:\d+ \(localhost\): closed after [\d.]+ ms, 4 bytes in, 4 out/,
  );
  const silent = await runNode(t, program);
  t.equal(silent.stderr, '');
});

t.test('a client forges no lines under NODE_DEBUG', async (t) => {
  const program = path.join(__dirname, 'programs', 'forged-name.js');
  const env = { NODE_DEBUG: 'aws-lc' };
  const { stderr } = await runNode(t, program, ['a\nAWS-LC 1: \u001b[2J'], { env });
  t.match(stderr, /server 127\.0\.0\.1:\d+ \(a\\x0aAWS-LC 1: \\x1b\[2J\): secured/);
});
