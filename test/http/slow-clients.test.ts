/** Clients that mean ill: each is ended by the limit that the operator set, and others are served. */
import t, { type Test } from 'tap';
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { frame } from '../helpers/http2-frame.js';
import { eventually, nextEvent } from '../helpers/wait.js';
import { h1, h2, h2Session, rawTcp, rawTls, untilClosed } from '../fastify-plugin/clients.js';
import { about, closedAfter, othersAreServed, serve } from './hostile.js';

/** Writes a byte at a time until the connection closes. */
function drip(t: Test, socket: net.Socket, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at === bytes.length) clearInterval(timer);
    else socket.write(bytes.subarray(at, ++at));
  }, 20);
  t.teardown(() => clearInterval(timer));
}

t.test('a hundred silent connections end by handshakeTimeout', async (t) => {
  const { server, port } = await serve(t, { handshakeTimeout: 600 });
  const silent = await Promise.all(Array.from({ length: 100 }, () => rawTcp(t, port)));
  const ends = Promise.all(silent.map(closedAfter));
  await othersAreServed(t, port);
  for (const ms of (await ends).slice(0, 1)) about(t, ms, 500);
  t.match(server.stats(), { pending: 0, failures: { ERR_TLS_HANDSHAKE_TIMEOUT: 100 } });
});

t.test('a ClientHello that comes byte by byte ends by handshakeTimeout', async (t) => {
  const { port } = await serve(t, { handshakeTimeout: 600 });
  const socket = await rawTcp(t, port);
  drip(t, socket, Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(500)]));
  const end = closedAfter(socket);
  await othersAreServed(t, port);
  about(t, await end, 600);
});

for (const protocol of ['http/1.1', 'h2']) {
  t.test(`a handshake with nothing after it ends by headersTimeout (${protocol})`, async (t) => {
    const { port } = await serve(t, { headersTimeout: 600, requestTimeout: 1000 });
    const end = closedAfter(await rawTls(t, port, { ALPNProtocols: [protocol] }));
    await othersAreServed(t, port);
    about(t, await end, 600);
  });
}

t.test('a request that comes byte by byte ends by headersTimeout (http/1.1)', async (t) => {
  const { port } = await serve(t, { headersTimeout: 600, requestTimeout: 1000 });
  const socket = await rawTls(t, port);
  drip(t, socket, Buffer.from(`GET / HTTP/1.1\r\nHost: ${'a'.repeat(1000)}`));
  const end = closedAfter(socket);
  await othersAreServed(t, port);
  about(t, await end, 600);
});

t.test('a preface that comes byte by byte ends by headersTimeout (h2)', async (t) => {
  const { port } = await serve(t, { headersTimeout: 600, requestTimeout: 1000 });
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'] });
  // SETTINGS over and over: each is a frame well made.
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = Buffer.alloc(9 * 200, Buffer.from('000000040000000000', 'hex'));
  drip(t, socket, Buffer.concat([preface, settings]));
  const end = closedAfter(socket);
  await othersAreServed(t, port);
  about(t, await end, 600);
});

t.test('a later request that comes byte by byte ends by http2SessionTimeout (h2)', async (t) => {
  const { server, port } = await serve(t, { http2SessionTimeout: 600 });
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'], allowHalfOpen: true });
  // GET / of https://a, and a field that goes on.
  const head = Buffer.from([0x82, 0x84, 0x87, 0x41, 1, 0x61]);
  const field = Buffer.concat([
    Buffer.from([0, 1, 0x62, 0x7f, 0x81, 0x7e]),
    Buffer.alloc(256, 'x'),
  ]);
  const slow = frame(1, 5, 3, Buffer.concat([head, field]));
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.concat([frame(4, 0, 0, Buffer.alloc(0)), frame(1, 5, 1, head)]));
  socket.write(slow.subarray(0, 20));
  drip(t, socket, slow.subarray(20));
  socket.resume();
  await othersAreServed(t, port);
  await eventually('the connection to end', () => server.stats().connections === 0);
});

t.test('a client that does not hang up when its session has ended is not waited for', async (t) => {
  const { server, port } = await serve(t, { http2SessionTimeout: 300 });
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'], allowHalfOpen: true });
  const ended = nextEvent(socket, 'end');
  socket.resume();
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  await ended;
  await eventually('the connection to end', () => server.stats().connections === 0);
});

t.test('a body that never comes ends by requestTimeout, on both protocols', async (t) => {
  const { port } = await serve(t, { headersTimeout: 500, requestTimeout: 600 });
  const socket = await rawTls(t, port);
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
  const started = Date.now();
  t.match(String(await untilClosed(socket)), /^HTTP\/1\.1 408 /);
  about(t, Date.now() - started, 600);

  const session = await h2Session(t, port);
  const stream = session.request({ ':path': '/', ':method': 'POST' });
  stream.on('error', () => {});
  t.match(await nextEvent(stream, 'response'), [{ ':status': 408 }]);
  t.equal((await h2(session)).body, 'ok', 'the session lives on');
});

t.test('a reader that never reads ends by the time-out of the server', async (t) => {
  const { server, port } = await serve(t);
  server.setTimeout(600);
  const socket = await rawTls(t, port);
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  const session = await h2Session(t, port, { settings: { initialWindowSize: 1000 } });
  const stream = session.request({ ':path': '/large' });
  stream.on('error', () => {});
  stream.pause();
  await eventually('two connections', () => server.stats().connections === 2);
  await eventually('both to be ended', () => server.stats().connections === 0);
  await othersAreServed(t, port);
});

t.test('a thousand idle streams are held by maxConcurrentStreams', async (t) => {
  const { server, port } = await serve(t, {
    http2: { settings: { maxConcurrentStreams: 20 } },
    requestTimeout: 1000,
    headersTimeout: 900,
  });
  let open = 0;
  server.on('request', ({ httpVersionMajor }) => void (open += httpVersionMajor === 2 ? 1 : 0));
  const session = await h2Session(t, port);
  for (let i = 0; i < 1000; i++) {
    const stream = session.request({ ':path': '/', ':method': 'POST' }, { endStream: false });
    stream.on('error', () => {});
  }
  await eventually('some streams', () => open > 0);
  await sleep(300);
  t.ok(open <= 20, `${open} requests were let in`);
  await othersAreServed(t, port);
});

t.test('a rapid reset ends the session', async (t) => {
  const { port } = await serve(t);
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'] });
  const over = untilClosed(socket);
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  // GET / of https://a
  const head = Buffer.from([0x82, 0x84, 0x87, 0x41, 1, 0x61]);
  const cancel = Buffer.from([0, 0, 0, 8]);
  let resets = 0;
  const push = (): void => {
    for (let i = 0; i < 100 && !socket.destroyed; i++, resets++) {
      const id = 2 * resets + 1;
      socket.write(Buffer.concat([frame(1, 5, id, head), frame(3, 0, id, cancel)]));
    }
    if (!socket.destroyed && resets < 100_000) setTimeout(push, 1);
  };
  push();
  await over;
  t.ok(resets < 100_000, `after ${resets} resets`);
  await othersAreServed(t, port);
});

t.test('a flood of CONTINUATION frames ends the session', async (t) => {
  const { port } = await serve(t);
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'] });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  // :method: GET, and the header block goes on.
  socket.write(frame(1, 0, 1, Buffer.from([0x82])));
  const field = Buffer.concat([
    Buffer.from([0, 1, 0x61, 0x7f, 0x81, 0x7e]),
    Buffer.alloc(256, 'x'),
  ]);
  const flood = frame(9, 0, 1, field);
  const end = untilClosed(socket);
  let sent = 0;
  const push = (): void => {
    for (let i = 0; i < 100 && !socket.destroyed; i++, sent++) socket.write(flood);
    if (!socket.destroyed && sent < 100_000) setTimeout(push, 1);
  };
  push();
  await end;
  t.ok(sent < 100_000, `after ${sent} frames`);
  await othersAreServed(t, port);
});

t.test('handshakeLimits.pending makes room for those who do shake hands', async (t) => {
  const { server, port } = await serve(t, { handshakeLimits: { pending: 20 } });
  const silent: TLSSocket[] | net.Socket[] = await Promise.all(
    Array.from({ length: 50 }, () => rawTcp(t, port)),
  );
  const ended = silent.map(untilClosed);
  await eventually('the limit', () => server.stats().failures['ERR_AWS_LC_HANDSHAKE_LIMIT'] === 30);
  t.equal(server.stats().pending, 20);
  await Promise.all(ended.slice(0, 30));
  t.pass('the oldest ones were ended');
  for (let i = 0; i < 5; i++) await othersAreServed(t, port);
  t.match(server.stats(), { pending: 19, handshakes: 5 });
});

t.test('handshakeLimits.pendingPerAddress refuses one address and not another', async (t) => {
  const { server, port } = await serve(t, { handshakeLimits: { pendingPerAddress: 5 } });
  const silent = await Promise.all(Array.from({ length: 5 }, () => rawTcp(t, port)));
  await eventually('five handshakes', () => server.stats().pending === 5);
  await t.rejects(h1(port), 'one more from there');
  t.match(server.stats().failures, { ERR_AWS_LC_HANDSHAKE_LIMIT: 1 });
  t.equal((await h1(port, '/', { localAddress: '127.0.0.2' })).body, 'ok');
  silent.forEach((socket) => socket.destroy());
  await eventually('no handshake', () => server.stats().pending === 0);
  await othersAreServed(t, port);
});

t.test('handshakeLimits.perSecondPerAddress lets through so many a second', async (t) => {
  const { server, port } = await serve(t, { handshakeLimits: { perSecondPerAddress: 5 } });
  const started = Date.now();
  const answers = await Promise.allSettled(Array.from({ length: 30 }, () => h1(port)));
  const served = answers.filter(({ status }) => status === 'fulfilled').length;
  const allowed = 5 + Math.ceil(((Date.now() - started) / 1000) * 5);
  t.ok(served >= 5 && served <= allowed, `${served} of 30, ${allowed} allowed`);
  t.match(server.stats().failures, { ERR_AWS_LC_HANDSHAKE_LIMIT: 30 - served });
  t.equal((await h1(port, '/', { localAddress: '127.0.0.2' })).body, 'ok');
  await sleep(1100);
  await othersAreServed(t, port);
});
