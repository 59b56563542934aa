import t from 'tap';
import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { nextEvent } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { h1, h2, h2Session, rawTls, untilClosed } from './clients.js';

/** Resolves with what was received and how long it took until the server closed the connection. */
async function closedAfter(socket: TLSSocket): Promise<{ text: string; ms: number }> {
  const started = Date.now();
  const text = String(await untilClosed(socket));
  return { text, ms: Date.now() - started };
}

/** Limits are enforced by a periodic check, which is a node:http option. */
const http = { connectionsCheckingInterval: 100 };

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

eachForm(t, 'keepAliveTimeout closes an idle HTTP/1.1 connection', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { keepAliveTimeout: 300 } });
  app.get('/', async () => 'ok');
  const socket = await rawTls(t, await listen(app));
  socket.write(request);
  const { text, ms } = await closedAfter(socket);
  t.match(text, /^HTTP\/1\.1 200 OK/);
  t.match(text, /keep-alive: timeout=/i);
  t.ok(ms >= 250 && ms < 4000, `closed after ${ms} ms`);
});

eachForm(t, 'requestTimeout ends a request that arrives byte by byte', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { requestTimeout: 500, http } });
  app.server.headersTimeout = 0;
  app.post('/', async () => 'never');
  const socket = await rawTls(t, await listen(app));
  socket.write(
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n',
  );
  const drip = setInterval(() => socket.write('x'), 50);
  t.teardown(() => clearInterval(drip));
  const { text, ms } = await closedAfter(socket);
  t.match(text, /^HTTP\/1\.1 408 /);
  t.ok(ms >= 400 && ms < 4000, `closed after ${ms} ms`);
});

eachForm(t, 'headersTimeout ends a request whose headers never end', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { http } });
  app.server.headersTimeout = 500;
  const socket = await rawTls(t, await listen(app));
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
  const drip = setInterval(() => socket.write('X-A: b\r\n'), 50);
  t.teardown(() => clearInterval(drip));
  const { text, ms } = await closedAfter(socket);
  t.match(text, /^HTTP\/1\.1 408 /);
  t.ok(ms >= 400 && ms < 4000, `closed after ${ms} ms`);
});

eachForm(t, 'headersTimeout ends a connection that says nothing', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { http } });
  app.server.headersTimeout = 500;
  const { ms } = await closedAfter(await rawTls(t, await listen(app)));
  t.ok(ms >= 400 && ms < 4000, `closed after ${ms} ms`);
});

eachForm(t, 'connectionTimeout ends an idle connection on both protocols', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { connectionTimeout: 300 } });
  app.get('/', () => new Promise(() => {}));
  const port = await listen(app);
  const socket = await rawTls(t, port);
  socket.write(request);
  const { ms } = await closedAfter(socket);
  t.ok(ms >= 250 && ms < 4000, `closed after ${ms} ms`);

  const session = await h2Session(t, port);
  const started = Date.now();
  await nextEvent(session, 'close');
  t.ok(Date.now() - started >= 200, 'h2 too');
});

eachForm(t, 'connectionTimeout spares a connection on which something happens', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { connectionTimeout: 400 } });
  app.get('/', async () => 'ok');
  const session = await h2Session(t, await listen(app));
  for (let i = 0; i < 6; i++) {
    await sleep(150);
    t.equal((await h2(session)).body, 'ok');
  }
});

eachForm(t, 'http2SessionTimeout closes an idle session with GOAWAY', async (t, form) => {
  const fastify = { http2SessionTimeout: 300 } as object;
  const app = await makeApp(t, { form, fastify });
  app.get('/', async () => 'ok');
  const session = await h2Session(t, await listen(app));
  await h2(session);
  const [code] = await nextEvent(session, 'goaway');
  t.equal(code, 0);
});

eachForm(t, 'maxRequestsPerSocket is kept', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { maxRequestsPerSocket: 2 } });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  t.match((await h1(port, '/', { agent })).headers, { connection: 'keep-alive' });
  t.match((await h1(port, '/', { agent })).headers, { connection: 'close' });
});

eachForm(t, 'options of node:http reach the server', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { http: { maxHeaderSize: 1024 } } });
  const socket = await rawTls(t, await listen(app));
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(2000)}\r\n\r\n`);
  t.match((await closedAfter(socket)).text, /^HTTP\/1\.1 431 /);
});
