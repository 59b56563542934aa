/** createHttp2Connect under node:http2 and http2-wrapper. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createHttp2Connect, type Http2ConnectOptions } from '@node-aws-lc/undici-connector';
import axios from 'axios';
import http2wrapper from 'http2-wrapper';
import t, { type Test } from 'tap';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import * as pki from '../helpers/pki.js';
import { type CodedError, rejection } from '../helpers/wait.js';
import { type Origin, type OriginOptions, startOrigin } from './origin.js';
import { pattern, patternDigest } from './pattern.js';
import { startTlsFront } from './tls-front.js';

t.test('http2.connect() speaks h2 over our TLS, and knows what it speaks over', async (t) => {
  const origin = await start(t);
  const session = open(t, origin.url, { createConnection: await trusting() });
  const { body } = await get(session);
  t.match(JSON.parse(body), { httpVersion: '2.0', servername: 'localhost', alpnProtocol: 'h2' });
  t.equal(session.encrypted, true);
  t.equal(session.alpnProtocol, 'h2');
  t.strictSame(session.originSet, [origin.url]);
  const socket = session.socket as TLSSocket;
  t.equal(socket.authorized, true);
  t.equal(socket.remotePort, origin.port);
});

t.test('many streams with large bodies at once', async (t) => {
  const origin = await start(t);
  const session = open(t, origin.url, { createConnection: await trusting() });
  const length = 500_001;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const stream = session.request({ ':method': 'POST', ':path': '/digest' });
      pattern(length).pipe(stream);
      t.strictSame(JSON.parse(await text(stream)), { length, sha256: patternDigest(length) });
    }),
  );
});

t.test('a response that comes all at once waits for whoever awaits its headers', async (t) => {
  // Headers, body and end of several responses in one TLS record.
  const COUNT = 20;
  const held: Buffer[] = [];
  let holding = true;
  const port = await startTlsFront(t, (chunk, socket) => {
    if (!holding) {
      socket.write(chunk);
      return;
    }
    held.push(chunk);
    if (held.length > 1) return;
    setTimeout(() => {
      holding = false;
      socket.write(Buffer.concat(held));
    }, 200);
  });
  const session = open(t, `https://localhost:${port}`, { createConnection: await trusting() });
  const ask = async () => {
    const stream = session.request({ ':path': '/answer' });
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    return [headers[':status'], await text(stream)];
  };
  const answers = await Promise.all(Array.from({ length: COUNT }, ask));
  t.strictSame(answers, Array(COUNT).fill([200, 'an answer']));
});

t.test('sessions are resumed, and not with other TLS options', async (t) => {
  const origin = await start(t);
  const createConnection = await trusting();
  const { key, cert } = await pki.client();
  for (const options of [{}, {}, { key, cert }, { key, cert }]) {
    const session = open(t, origin.url, { ...options, createConnection });
    await get(session);
    session.close();
    await once(session, 'close');
  }
  t.strictSame(
    origin.connections.map(({ resumed }) => resumed),
    [false, true, false, true],
  );
});

t.test('what fails, fails the session as node:tls would', async (t) => {
  const { key, cert } = await pki.selfSigned();
  const origin = await start(t, { tls: { key, cert } });
  origin.server.on('tlsClientError', () => {});
  const { cert: ca } = await pki.root();
  const before = descriptorCount();
  for (const options of [{ ca }, { createConnection: await trusting() }]) {
    const session = open(t, origin.url, options);
    const stream = session.request({ ':path': '/' });
    const [[sessionError], [streamError]] = (await Promise.all([
      once(session, 'error'),
      once(stream, 'error'),
    ])) as [[CodedError], [CodedError]];
    t.equal(sessionError.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    t.match(streamError, { code: 'ERR_HTTP2_STREAM_CANCEL', cause: sessionError });
  }
  t.ok((await settledDescriptorCount(before)) <= before, 'and leaves no descriptor');
});

t.test('a server that speaks HTTP/1.1 only refuses', async (t) => {
  const origin = await start(t, { protocol: 'http/1.1' });
  origin.server.on('tlsClientError', () => {});
  const session = open(t, origin.url, { createConnection: await trusting() });
  const [error] = (await once(session, 'error')) as [CodedError];
  t.equal(error.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
});

t.test('a session that is destroyed while it connects leaves nothing', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const url = `https://localhost:${(silent.address() as AddressInfo).port}`;
  const createConnection = await trusting();
  const before = descriptorCount();
  for (let i = 0; i < 10; i++) {
    const session = open(t, url, { createConnection });
    setTimeout(() => session.destroy(), i * 2);
    await once(session, 'close');
  }
  t.ok((await settledDescriptorCount(before)) <= before);
});

t.test('http: is refused', async (t) => {
  const createConnection = await trusting();
  const connect = () => http2.connect('http://localhost', { createConnection });
  t.throws(connect, { code: 'ERR_AWS_LC_CLEARTEXT' });
});

t.test('what cannot work is refused at once', async (t) => {
  const { key } = await pki.client();
  const { cert } = await pki.server();
  t.throws(() => createHttp2Connect({ key, cert }), /key/i);
  t.throws(() => createHttp2Connect({ maxCachedSessions: 0.5 }), { code: 'UND_ERR_INVALID_ARG' });
});

t.test('http2-wrapper', async (t) => {
  const connect = await trusting();

  t.test('finds out by ALPN', async (t) => {
    const resolveProtocol = http2wrapper.auto.createResolveProtocol(new Map(), new Map(), connect);
    for (const [protocol, expected] of [
      ['h2', 'h2'],
      ['http/1.1', 'http/1.1'],
    ] as const) {
      const { port } = await start(t, { protocol });
      const ALPNProtocols = ['h2', 'http/1.1'];
      const options = { host: 'localhost', servername: 'localhost', port, ALPNProtocols };
      t.match(await resolveProtocol(options), { alpnProtocol: expected });
    }
    const { key, cert } = await pki.selfSigned();
    const wrong = await start(t, { tls: { key, cert } });
    wrong.server.on('tlsClientError', () => {});
    const options = { host: 'localhost', port: wrong.port, ALPNProtocols: ['h2'] };
    const { code } = await rejection(resolveProtocol(options));
    t.equal(code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  t.test('gets its sessions from us', async (t) => {
    const origin = await start(t);
    const agent = new http2wrapper.Agent();
    agent.createConnection = connect as never;
    t.teardown(() => agent.destroy());
    for (let i = 0; i < 3; i++) {
      const request = http2wrapper.get(origin.url, { agent });
      const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
      t.match(JSON.parse(await text(response)), { httpVersion: '2.0' });
    }
    t.equal(origin.connections.length, 1);
  });
});

t.test('axios has its HTTP/2 sessions from us', async (t) => {
  const origin = await start(t);
  const { cert: ca } = await pki.root();
  let made = 0;
  const connect = createHttp2Connect({ ca });
  const createConnection = (authority: URL, options: http2.SecureClientSessionOptions) => {
    made++;
    return connect(authority, options);
  };
  const client = axios.create({ httpVersion: 2, http2Options: { createConnection } });
  for (let i = 0; i < 3; i++) {
    t.match((await client.get<object>(origin.url)).data, {
      httpVersion: '2.0',
      alpnProtocol: 'h2',
    });
  }
  t.equal(made, 1);
  t.equal(origin.connections.length, 1);
});

async function start(t: Test, options?: OriginOptions): Promise<Origin> {
  const origin = await startOrigin({ protocol: 'h2', ...options });
  t.teardown(() => origin.close());
  return origin;
}

async function trusting(options: Http2ConnectOptions = {}) {
  const { cert: ca } = await pki.root();
  return createHttp2Connect({ ca, ...options });
}

function open(t: Test, url: string, options: http2.SecureClientSessionOptions) {
  const session = http2.connect(url, options);
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  return session;
}

async function get(session: http2.ClientHttp2Session): Promise<{ body: string }> {
  return { body: await text(session.request({ ':path': '/' })) };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let body = '';
  for await (const chunk of stream.setEncoding('utf8')) body += chunk as string;
  return body;
}
