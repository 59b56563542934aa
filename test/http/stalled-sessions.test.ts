/** Clients of h2 that take nothing of the responses that they have asked for, and keep their connections busy otherwise. */
import t, { type Test } from 'tap';
import type { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { h2Session, rawTls } from '../fastify-plugin/clients.js';
import { frame } from '../helpers/http2-frame.js';
import { eventually, nextEvent } from '../helpers/wait.js';
import { about, closedAfter, othersAreServed, serve } from './hostile.js';

/** GET / of https://a, and other paths. */
const GET = Buffer.from([0x82, 0x84, 0x87, 0x41, 1, 0x61]);
const GET_LARGE = getOf('/large');
const GET_SOME = getOf('/some');
const GET_NEVER = getOf('/never');

function getOf(path: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x82, 0x04, path.length]),
    Buffer.from(path),
    GET.subarray(2),
  ]);
}

/** A client of h2 by hand that asks, has no window for the answer, and goes on sending PING. */
async function stallingClient(t: Test, port: number, head = GET_LARGE): Promise<TLSSocket> {
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'] });
  const noWindow = Buffer.from([0, 4, 0, 0, 0, 0]);
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.concat([frame(4, 0, 0, noWindow), frame(1, 5, 1, head)]));
  const ping = frame(6, 0, 0, Buffer.alloc(8));
  const timer = setInterval(() => socket.write(ping), 50);
  socket.on('close', () => clearInterval(timer));
  t.teardown(() => clearInterval(timer));
  return socket;
}

t.test('h2 without a window ends by the time-out of the server, PING or not', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const end = closedAfter(await stallingClient(t, port));
  await othersAreServed(t, port);
  about(t, await end, 600);
});

t.test('h2 that does not read its socket ends by it, PING or not', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const socket = await stallingClient(t, port);
  socket.pause();
  // As much window as there is.
  const window = Buffer.from([0x7f, 0, 0, 0]);
  socket.write(Buffer.concat([frame(8, 0, 0, window), frame(8, 0, 1, window)]));
  const started = Date.now();
  await othersAreServed(t, port);
  await eventually('the connection to end', () => server.stats().connections === 0);
  about(t, Date.now() - started, 600);
});

t.test('a PING flood that is not read does not keep it either', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const socket = await stallingClient(t, port);
  const pings = Buffer.alloc(17 * 20, frame(6, 0, 0, Buffer.alloc(8)));
  const timer = setInterval(() => socket.write(pings), 10);
  t.teardown(() => clearInterval(timer));
  about(t, await closedAfter(socket), 600);
});

t.test('a listener for time-outs decides about stalled sessions, too', async (t) => {
  const { server, port } = await serve(t);
  let told = 0;
  server.setTimeout(300, () => void told++);
  const socket = await stallingClient(t, port);
  await eventually('two time-outs', () => told > 1);
  t.notOk(socket.destroyed);
});

t.test('h2 that takes a little of a response now and then lives', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const socket = await stallingClient(t, port);
  let received = 0;
  socket.on('data', ({ length }: Buffer) => (received += length));
  const window = frame(8, 0, 1, Buffer.from([0, 0, 0, 100]));
  for (let i = 0; i < 10; i++) {
    await sleep(300);
    socket.write(window);
  }
  t.notOk(socket.destroyed);
  t.ok(received > 1000, `${received} bytes in 3 s`);
});

t.test('h2 that goes on asking while one response waits lives', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const socket = await stallingClient(t, port, GET_SOME);
  for (let id = 3; id < 9; id += 2) {
    await sleep(400);
    // HEAD / of https://a
    const method = Buffer.concat([Buffer.from([0x02, 4]), Buffer.from('HEAD')]);
    socket.write(frame(1, 5, id, Buffer.concat([method, GET.subarray(1)])));
  }
  t.notOk(socket.destroyed);
});

t.test('h2 that sends a body while a response waits lives', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const socket = await stallingClient(t, port, GET_SOME);
  const post = Buffer.from([0x83, ...GET.subarray(1)]);
  socket.write(frame(1, 4, 3, post));
  for (let i = 0; i < 20; i++) {
    await sleep(100);
    socket.write(frame(0, 0, 3, Buffer.alloc(1000)));
  }
  t.notOk(socket.destroyed);
});

t.test('h2 that waits with PING for a slow handler lives', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(400);
  const socket = await stallingClient(t, port, GET_NEVER);
  await sleep(1500);
  t.notOk(socket.destroyed);
});

t.test('h2 that has taken all there is of an endless response lives', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(400);
  const session = await h2Session(t, port);
  const stream = session.request({ ':path': '/events' });
  await nextEvent(stream, 'data');
  const timer = setInterval(() => session.ping(() => {}), 50);
  t.teardown(() => clearInterval(timer));
  await sleep(1500);
  t.notOk(session.destroyed);
});
