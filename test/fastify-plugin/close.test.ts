import t from 'tap';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, nextEvent, within } from '../helpers/wait.js';
import { eachForm, gate, listen, makeApp } from './app.js';
import { h1, h2, h2Session, rawTcp, rawTls, untilClosed } from './clients.js';

/** More than closing may take where nothing is to be waited for, less than any limit of a server. */
const prompt = 3000;

eachForm(t, 'close() lets an HTTP/1.1 request in flight finish', async (t, form) => {
  const app = await makeApp(t, { form });
  const { opened, open } = gate();
  const arrived = gate();
  app.get('/', async () => {
    arrived.open();
    await opened;
    return 'finished';
  });
  const port = await listen(app);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const answer = h1(port, '/', { agent });
  await arrived.opened;

  let closed = false;
  const closing = app.close().then(() => (closed = true));
  await sleep(100);
  t.equal(closed, false, 'waits for the request');
  open();
  t.match(await answer, { status: 200, body: 'finished', headers: { connection: 'close' } });
  await within('close()', closing, prompt);
});

eachForm(t, 'close() ends a keep-alive connection after its last response', async (t, form) => {
  const app = await makeApp(t, { form });
  const { opened, open } = gate();
  app.get('/', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-length': 8 });
    reply.raw.write('half');
    void opened.then(() => reply.raw.end('half'));
  });
  const port = await listen(app);
  const socket = await rawTls(t, port);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');

  const closing = app.close();
  await sleep(50);
  open();
  t.match(String(await untilClosed(socket)), /half$/, 'the body is complete');
  await within('close()', closing, prompt);
});

eachForm(t, 'close() lets h2 streams in flight finish and refuses new ones', async (t, form) => {
  const app = await makeApp(t, { form });
  const { opened, open } = gate();
  const arrived = gate();
  app.get('/', async () => {
    arrived.open();
    await opened;
    return 'finished';
  });
  const port = await listen(app);
  const session = await h2Session(t, port);
  const goaway = nextEvent(session, 'goaway');
  const answer = h2(session);
  await arrived.opened;

  let closed = false;
  const closing = app.close().then(() => (closed = true));
  const [code] = await goaway;
  t.equal(code, 0, 'GOAWAY says NO_ERROR');
  await t.rejects(h2(session), 'no new stream');
  t.equal(closed, false, 'waits for the stream');
  open();
  t.match(await answer, { status: 200, body: 'finished' });
  await within('close()', closing, prompt);
});

eachForm(t, 'close() does not wait for connections on which nothing goes on', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async () => 'ok');
  const port = await listen(app);

  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await h1(port, '/', { agent });
  const idleH2 = await h2Session(t, port);
  await h2(idleH2);
  const neverAskedH1 = await rawTls(t, port, { ALPNProtocols: ['http/1.1'] });
  const neverAskedH2 = await rawTls(t, port, { ALPNProtocols: ['h2'] });
  await eventually('4 connections', () => app.tls.stats().connections === 4);
  const ends = [neverAskedH1, neverAskedH2].map(untilClosed);

  await within('close()', app.close(), prompt);
  await within('the connections to end', Promise.all(ends), prompt);
  await eventually('no connection', () => app.tls.stats().connections === 0);
});

eachForm(t, 'close() destroys pending handshakes', async (t, form) => {
  const app = await makeApp(t, { form });
  const port = await listen(app);
  const silent = await rawTcp(t, port);
  const halfway = await rawTcp(t, port);
  halfway.write(Buffer.from('1603010200010001fc0303', 'hex'));
  const ends = [silent, halfway].map(untilClosed);
  await sleep(100);

  await within('close()', app.close(), prompt);
  const received = await within('the sockets to close', Promise.all(ends), prompt);
  t.notMatch(Buffer.concat(received).toString('latin1'), /HTTP/);
  t.same(app.tls.stats().failures, {}, 'our own closing is no failure of theirs');
});

eachForm(t, 'close() does not wait for an h2 peer that never hangs up', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  const session = await h2Session(t, port);
  await h2(session);
  // The client's side stops: it neither reads the GOAWAY nor sees the end.
  session.socket.on('error', () => {});
  const tcp = await rawTls(t, port, { ALPNProtocols: ['h2'], allowHalfOpen: true });
  tcp.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  await once(tcp, 'data');
  tcp.pause();

  await within('close()', app.close(), 6000);
});

eachForm(t, 'forceCloseConnections: true ends requests in flight', async (t, form) => {
  const app = await makeApp(t, { form, fastify: { forceCloseConnections: true } });
  const arrived = gate();
  app.get('/', () => {
    arrived.open();
    return new Promise(() => {});
  });
  const port = await listen(app);
  const answer = h1(port);
  answer.catch(() => {});
  await arrived.opened;
  await within('close()', app.close(), prompt);
  await t.rejects(answer);
});

eachForm(t, 'closing an application that never listened resolves', async (t, form) => {
  const app = await makeApp(t, { form });
  await app.ready();
  await within('close()', app.close(), prompt);
});

eachForm(t, 'no connection is accepted once closed', async (t, form) => {
  const app = await makeApp(t, { form });
  const port = await listen(app);
  await app.close();
  await t.rejects(h1(port), { code: 'ECONNREFUSED' });
});

t.test('server.close() without Fastify closes all the same', async (t) => {
  const app = await makeApp(t);
  const port = await listen(app);
  const idle = await rawTls(t, port);
  const end = untilClosed(idle);
  await within('close()', new Promise((resolve) => app.server.close(resolve)), prompt);
  await end;
});
