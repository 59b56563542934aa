import t, { type Test } from 'tap';
import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import http2 from 'node:http2';
import type { RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import * as pki from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';
import { eventually, nextEvent, within } from '../helpers/wait.js';
import { eachForm, gate, listen, makeApp } from './app.js';
import { curl, h1, h2, h2Session, rawTls, untilClosed } from './clients.js';

eachForm(t, 'trailers arrive on both protocols', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', (_request, reply) => {
    reply.trailer('x-checksum', async (_reply: unknown, payload: unknown) =>
      String((payload as string).length),
    );
    void reply.send('with trailers');
  });
  const port = await listen(app);

  const socket = await rawTls(t, port);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTE: trailers\r\n\r\n');
  t.match(String(await untilClosed(socket)), /x-checksum: 13\r\n\r\n$/i);

  const stream = (await h2Session(t, port)).request({ ':path': '/' });
  const trailers = nextEvent(stream, 'trailers');
  stream.resume();
  t.match(await trailers, [{ 'x-checksum': '13' }]);
});

eachForm(t, '103 early hints come before the response on both protocols', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', (_request, reply) => {
    // Without waiting: over h2 node:http2 never calls back, see docs/fastify.md.
    void reply.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    void reply.send('ok');
  });
  const port = await listen(app);

  const ca = (await pki.root()).cert;
  const request = https.request({ host: '127.0.0.1', port, ca, agent: false });
  const information = nextEvent(request, 'information');
  const response = nextEvent(request, 'response');
  request.end();
  t.match(await information, [{ statusCode: 103, headers: { link: /style\.css/ } }]);
  t.match(await response, [{ statusCode: 200 }]);

  const stream = (await h2Session(t, port)).request({ ':path': '/' });
  const headers = nextEvent(stream, 'headers');
  const final = nextEvent(stream, 'response');
  stream.resume();
  t.match(await headers, [{ ':status': 103, link: /style\.css/ }]);
  t.match(await final, [{ ':status': 200 }]);
});

eachForm(t, 'Expect: 100-continue is answered before the body is sent', async (t, form) => {
  const app = await makeApp(t, { form });
  app.post('/', async ({ body }) => body);
  const port = await listen(app);
  const ca = (await pki.root()).cert;
  const headers = { 'content-type': 'text/plain', expect: '100-continue' };

  const request = https.request({
    host: '127.0.0.1',
    port,
    ca,
    method: 'POST',
    agent: false,
    headers,
  });
  const goOn = nextEvent(request, 'continue');
  const response = nextEvent(request, 'response');
  request.flushHeaders();
  await goOn;
  request.end('body');
  t.match(await response, [{ statusCode: 200 }]);

  const session = await h2Session(t, port);
  const stream = session.request({ ':path': '/', ':method': 'POST', ...headers });
  await nextEvent(stream, 'continue');
  stream.end('body');
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  t.equal(text, 'body');
});

eachForm(t, "'checkContinue' and 'checkExpectation' listeners are asked", async (t, form) => {
  const app = await makeApp(t, { form });
  for (const name of ['checkContinue', 'checkExpectation'] as const) {
    const refuse: RequestListener = (_request, response) => {
      response.writeHead(417, { asked: name }).end();
    };
    app.server.on(name, refuse);
  }
  app.post('/', async () => 'never');
  const port = await listen(app);
  const session = await h2Session(t, port);
  for (const [expect, asked] of [
    ['100-continue', 'checkContinue'],
    ['a miracle', 'checkExpectation'],
  ] as const) {
    const answers = [
      await h1(port, '/', { method: 'POST', headers: { expect }, body: 'x' }),
      await h2(session, '/', { ':method': 'POST', expect }, 'x'),
    ];
    for (const answer of answers) t.match(answer, { status: 417, headers: { asked } });
  }
});

eachForm(t, 'upgrade hands the TLS stream over', async (t, form) => {
  const app = await makeApp(t, { form });
  app.server.on('upgrade', (_request, socket, head: Buffer) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    socket.write(head);
    socket.pipe(socket);
  });
  const socket = await rawTls(t, await listen(app));
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += String(chunk)));
  await eventually('the early bytes', () => text.endsWith('early '));
  socket.write('and late');
  await eventually('an echo', () => text.endsWith('early and late'));
  socket.end();
});

eachForm(
  t,
  '@fastify/websocket works, and close() leaves it to end its sockets',
  async (t, form) => {
    const app = await makeApp(t, { form });
    await app.register(websocket);
    app.get('/', { websocket: true }, (socket, request) => {
      socket.send(JSON.stringify(request.tls?.negotiated.protocol));
      socket.on('message', (message: Buffer) => socket.send(message));
    });
    const port = await listen(app);
    const client = new WebSocket(`wss://127.0.0.1:${port}`, { ca: (await pki.root()).cert });
    const received: string[] = [];
    client.on('message', (message: Buffer) => received.push(String(message)));
    await nextEvent(client, 'open');
    await eventually('a greeting', () => received.length === 1);
    const large = 'x'.repeat(1 << 20);
    client.send(large);
    await eventually('an echo', () => received.length === 2);
    t.same(received[0], '"TLSv1.3"');
    t.ok(received[1] === large);
    const closed = nextEvent(client, 'close');
    await within('close()', app.close(), 5000);
    const [code] = await closed;
    t.equal(code, 1005);
  },
);

t.test('close() does not cut an upgraded connection', async (t) => {
  const app = await makeApp(t);
  let upgraded: TLSSocket | undefined;
  app.server.on('upgrade', (_request, socket) => {
    upgraded = socket as TLSSocket;
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n');
  });
  const socket = await rawTls(t, await listen(app));
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n');
  await nextEvent(socket, 'data');
  const closing = app.close();
  await sleep(700);
  t.equal(upgraded?.destroyed, false);
  upgraded?.end();
  await within('close()', closing, 3000);
});

eachForm(t, 'a request that its client aborts is noticed on both protocols', async (t, form) => {
  const app = await makeApp(t, { form });
  const aborted: string[] = [];
  const { opened, open } = gate();
  let arrived = 0;
  app.addHook('onRequestAbort', async ({ raw }) => void aborted.push(raw.httpVersion));
  app.get('/', async () => {
    arrived++;
    await opened;
    return 'late';
  });
  const port = await listen(app);
  t.teardown(open);

  const overH1 = https.get({ host: '127.0.0.1', port, ca: (await pki.root()).cert, agent: false });
  overH1.on('error', () => {});
  const session = await h2Session(t, port);
  const overH2 = session.request({ ':path': '/' });
  overH2.on('error', () => {});
  await eventually('both requests', () => arrived === 2);
  overH1.destroy();
  overH2.close(http2.constants.NGHTTP2_CANCEL);
  await eventually('both aborts', () => aborted.length === 2);
  t.same(aborted.sort(), ['1.1', '2.0']);
});

eachForm(t, 'a download is not read faster than its client reads', async (t, form) => {
  const app = await makeApp(t, { form });
  let made = 0;
  const block = Buffer.alloc(1 << 16);
  app.get('/', (_request, reply) => {
    const endless = new Readable({
      read() {
        made += block.length;
        this.push(block);
      },
    });
    void reply.type('application/octet-stream').send(endless);
  });
  const port = await listen(app);
  const slowH1 = await rawTls(t, port);
  slowH1.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await standsStill(t, () => made);
  slowH1.destroy();

  made = 0;
  const stream = (await h2Session(t, port)).request({ ':path': '/' });
  stream.on('error', () => {});
  await nextEvent(stream, 'response');
  await standsStill(t, () => made);
});

eachForm(t, 'an upload is not read faster than its handler reads', async (t, form) => {
  // Nobody would notice that the client is gone.
  const app = await makeApp(t, { form, fastify: { forceCloseConnections: true } });
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    payload.pause();
    done(null, null);
  });
  app.post('/', () => new Promise(() => {}));
  const port = await listen(app);
  const socket = await rawTls(t, port);
  socket.write(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000000\r\n\r\n',
  );
  const block = Buffer.alloc(1 << 16);
  const push = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', push);
  push();
  await standsStill(t, () => app.tls.stats().bytes.in);
});

/** Some, not much, and then nothing more. */
async function standsStill(t: Test, bytes: () => number): Promise<void> {
  await eventually('something to move', () => bytes() > 0);
  let before = -1;
  for (let i = 0; i < 20 && before !== bytes(); i++) {
    before = bytes();
    await sleep(200);
  }
  t.equal(bytes(), before, 'it stands still');
  t.ok(before < 32 << 20, `after ${before} bytes`);
}

eachForm(
  t,
  'clientErrorHandler is called for what is no HTTP, with the TLS stream',
  async (t, form) => {
    const seen: unknown[] = [];
    const app = await makeApp(t, {
      form,
      fastify: {
        clientErrorHandler(error, socket) {
          seen.push(error.code, (socket as TLSSocket).encrypted);
          socket.end('HTTP/1.1 400 Mine\r\nContent-Length: 0\r\n\r\n');
        },
      },
    });
    const socket = await rawTls(t, await listen(app));
    socket.write('THIS IS NOT HTTP\r\n\r\n');
    t.match(String(await untilClosed(socket)), /^HTTP\/1\.1 400 Mine/);
    t.match(seen, [/^HPE_/, true]);
  },
);

t.test('several applications in one process keep to themselves', async (t) => {
  const renewed = await pki.serverFor(['ip:127.0.0.1', 'dns:localhost'], 'other');
  const one = await makeApp(t);
  const other = await makeApp(t, { tls: { key: renewed.key, cert: renewed.chain } });
  const plain = Fastify();
  t.teardown(() => plain.close());
  for (const [name, app] of Object.entries({ one, other, plain })) app.get('/', async () => name);
  const [port, otherPort] = [await listen(one), await listen(other)];
  await plain.listen({ port: 0, host: '127.0.0.1' });
  t.equal((await h1(port)).body, 'one');
  t.equal((await h2(await h2Session(t, otherPort))).body, 'other');
  t.equal(await (await fetch(plain.listeningOrigin)).text(), 'plain');
  t.match((await rawTls(t, otherPort)).getPeerCertificate().subject, { CN: 'other' });
  await one.close();
  t.equal(one.tls.stats().handshakes, 1);
  t.equal((await h1(otherPort)).body, 'other');
});

eachForm(t, 'addresses() names every listener and listenTextResolver words it', async (t, form) => {
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) };
  const app = await makeApp(t, { form, fastify: { logger: { stream } } });
  await app.listen({ port: 0, host: '127.0.0.1', listenTextResolver: (at) => `we are at ${at}` });
  const [address] = app.addresses();
  t.equal(app.addresses().length, 1);
  t.match(address, { address: '127.0.0.1', family: 'IPv4' });
  const { port } = address as AddressInfo;
  t.same(lines, [`we are at https://127.0.0.1:${port}`]);
});

const curlModes: Record<string, [args: string[], answer: RegExp]> = {
  'HTTP/1.0': [['--http1.0'], /^ok\n1\.\d 200$/],
  HEAD: [['--http1.1', '--head'], /^HTTP\/1\.1 200 [^]*\n1\.1 200$/],
  'HEAD over h2': [['--http2', '--head'], /^HTTP\/2 200 [^]*\n2 200$/],
  'a POST that expects 100-continue': [
    ['--http1.1', '-d', 'x'.repeat(2000), '-H', 'Expect: 100-continue'],
    /^xx\n1\.1 200$/,
  ],
  'a chunked POST': [
    ['--http1.1', '-d', 'xyz', '-H', 'Transfer-Encoding: chunked'],
    /^xy\n1\.1 200$/,
  ],
  'a POST over h2': [['--http2', '-d', 'xyz'], /^xy\n2 200$/],
  'TLS 1.2': [['--tls-max', '1.2'], /^ok\n2 200$/],
  'TLS 1.3': [['--tlsv1.3'], /^ok\n2 200$/],
  'no ALPN': [['--no-alpn'], /^ok\n1\.1 200$/],
};

t.test('curl in its modes', { skip: missing('curl', 'curl') }, async (t) => {
  const app = await makeApp(t);
  app.get('/', async () => 'ok');
  app.post('/', async ({ body }) => String(body).slice(0, 2));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const url = `https://127.0.0.1:${await listen(app)}/`;
  for (const [what, [args, answer]] of Object.entries(curlModes)) {
    const { stdout, stderr } = await curl(t, [
      '-w',
      '\n%{http_version} %{http_code}',
      ...args,
      url,
    ]);
    t.match(stdout.replaceAll('\r', ''), answer, `${what} ${stderr}`);
  }
  const { stdout } = await curl(t, ['--http2', '--parallel', ...Array<string>(20).fill(url)]);
  t.equal(stdout, 'ok'.repeat(20), 'twenty requests in parallel');
});
