import t, { type Test } from 'tap';
import type { FastifyInstance } from 'fastify';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Agent, fetch, request } from 'undici';
import * as pki from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';
import { rejection } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { type Answer, curl, h1, h2, h2Session, rawTls } from './clients.js';

function describeRequests(app: FastifyInstance): void {
  app.get('/', async ({ raw, protocol, ip, tls, socket }) => ({
    httpVersion: raw.httpVersion,
    protocol,
    ip,
    tls: tls && {
      alpn: tls.negotiated.alpn,
      protocol: tls.negotiated.protocol,
      serverName: tls.negotiated.serverName,
      ktls: typeof tls.ktls.tx,
      authorized: tls.authorized,
    },
    socket: {
      remoteAddress: socket.remoteAddress,
      localPort: socket.localPort,
      encrypted: 'encrypted' in socket && socket.encrypted,
    },
  }));
  app.post('/echo', async ({ body }) => body);
}

function isRight(
  t: Test,
  { status, body }: Answer,
  httpVersion: '1.1' | '2.0',
  port: number,
): void {
  t.equal(status, 200);
  t.match(JSON.parse(body), {
    httpVersion,
    protocol: 'https',
    ip: '127.0.0.1',
    tls: {
      alpn: httpVersion === '2.0' ? 'h2' : /^http/,
      protocol: 'TLSv1.3',
      ktls: 'boolean',
      authorized: false,
    },
    socket: { remoteAddress: '127.0.0.1', localPort: port, encrypted: true },
  });
}

eachForm(t, 'HTTP/1.1 and h2 are negotiated on one port', async (t, form) => {
  const app = await makeApp(t, { form });
  describeRequests(app);
  const port = await listen(app);

  isRight(t, await h1(port, '/', { ALPNProtocols: ['http/1.1'] }), '1.1', port);
  const session = await h2Session(t, port);
  isRight(t, await h2(session), '2.0', port);
  t.equal(session.alpnProtocol, 'h2');
});

eachForm(t, 'many requests share one connection, on both protocols', async (t, form) => {
  const app = await makeApp(t, { form });
  describeRequests(app);
  const port = await listen(app);
  const body = JSON.stringify({ text: 'x'.repeat(100_000) });
  const headers = { 'content-type': 'application/json' };

  const session = await h2Session(t, port);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => h2(session, '/echo', { ':method': 'POST', ...headers }, body)),
  );
  t.ok(answers.every((answer) => answer.body === body));

  const dispatcher = new Agent({
    connections: 1,
    allowH2: false,
    connect: { ca: (await pki.root()).cert },
  });
  t.teardown(() => dispatcher.close());
  for (let i = 0; i < 20; i++) {
    const response = await fetch(`https://127.0.0.1:${port}/echo`, {
      method: 'POST',
      body,
      headers,
      dispatcher,
    });
    t.equal(await response.text(), body);
  }
  t.equal(app.tls.stats().handshakes, 2);
});

eachForm(t, 'large bodies arrive whole in both directions', async (t, form) => {
  const size = 20 << 20;
  const block = randomBytes(1 << 16);
  const blocks = function* (): Generator<Buffer> {
    for (let sent = 0; sent < size; sent += block.length) yield block;
  };
  const expected = await digest(blocks());
  const app = await makeApp(t, { form, fastify: { bodyLimit: size } });
  const type = 'application/octet-stream';
  app.addContentTypeParser(type, (_request, payload, done) => done(null, payload));
  app.post('/up', async ({ body }) => digest(body as Readable));
  app.get('/down', (_request, reply) => reply.type(type).send(Readable.from(blocks())));
  const port = await listen(app);

  for (const allowH2 of [false, true]) {
    const dispatcher = new Agent({ allowH2, connect: { ca: (await pki.root()).cert } });
    t.teardown(() => dispatcher.destroy());
    const options = { dispatcher, headers: { 'content-type': type } };
    const url = `https://127.0.0.1:${port}`;
    const up = await request(`${url}/up`, {
      ...options,
      method: 'POST',
      body: Readable.from(blocks()),
    });
    t.equal(await up.body.text(), expected, `up, h2 ${allowH2}`);
    const down = await request(`${url}/down`, options);
    t.equal(await digest(down.body), expected, `down, h2 ${allowH2}`);
  }
});

t.test('stock undici is served on both protocols', async (t) => {
  const app = await makeApp(t);
  describeRequests(app);
  const port = await listen(app);
  for (const allowH2 of [false, true]) {
    const dispatcher = new Agent({ allowH2, connect: { ca: (await pki.root()).cert } });
    t.teardown(() => dispatcher.close());
    const response = await fetch(`https://127.0.0.1:${port}/`, { dispatcher });
    const answer = { status: response.status, headers: {}, body: await response.text() };
    isRight(t, answer, allowH2 ? '2.0' : '1.1', port);
  }
});

t.test('curl is served on both protocols', { skip: missing('curl', 'curl') }, async (t) => {
  const app = await makeApp(t);
  describeRequests(app);
  const port = await listen(app);
  for (const [flag, version] of [
    ['--http1.1', '1.1'],
    ['--http2', '2.0'],
    ['--http2-prior-knowledge', '2.0'],
  ] as const) {
    const { code, stdout, stderr } = await curl(t, [flag, `https://127.0.0.1:${port}/`]);
    t.equal(code, 0, stderr);
    isRight(t, { status: 200, headers: {}, body: stdout }, version, port);
  }
});

t.test('the server name of the client is in request.tls', async (t) => {
  const app = await makeApp(t);
  describeRequests(app);
  const port = await listen(app);
  const { body } = await h1(port, '/', { servername: 'localhost' });
  t.match(JSON.parse(body), { tls: { serverName: 'localhost' } });
});

t.test('a client without ALPN gets HTTP/1.1', async (t) => {
  const app = await makeApp(t);
  describeRequests(app);
  const port = await listen(app);
  const { body } = await h1(port, '/', { ALPNProtocols: [] });
  t.match(JSON.parse(body), { httpVersion: '1.1', tls: { alpn: null } });
});

t.test('alpnProtocols limits what is served', async (t) => {
  t.test("['http/1.1'] refuses a client that offers only h2", async (t) => {
    const app = await makeApp(t, { tls: { alpnProtocols: ['http/1.1'] } });
    describeRequests(app);
    const port = await listen(app);
    t.match(await h1(port), { status: 200 });
    const error = await rejection(h1(port, '/', { ALPNProtocols: ['h2'] }));
    t.match(error.message, /no.application.protocol/i);
  });

  t.test("['h2'] refuses a client without ALPN, and does not speak HTTP to it", async (t) => {
    const app = await makeApp(t, { tls: { alpnProtocols: ['h2'] } });
    describeRequests(app);
    const port = await listen(app);
    t.match(await h2(await h2Session(t, port)), { status: 200 });
    await t.rejects(h1(port, '/', { ALPNProtocols: [] }));
    t.match(app.tls.stats().failures, { ERR_AWS_LC_ALPN_REQUIRED: 1 });
  });
});

t.test('a request to 404 and a bad h1 request are answered over TLS', async (t) => {
  const app = await makeApp(t);
  const port = await listen(app);
  t.match(await h1(port, '/nowhere'), { status: 404 });
  t.match(await h2(await h2Session(t, port), '/nowhere'), { status: 404 });

  const socket = await rawTls(t, port);
  socket.end('NOT HTTP AT ALL\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  t.match(answer, /^HTTP\/1\.1 400 /, 'clientError handling works once the handshake is done');
});

async function digest(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
