/** The connect timeout: it covers everything until the connection can be used. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { root } from '../helpers/pki.js';
import { callFor, connect } from './connect.js';
import { startOrigin } from './origin.js';
import { undicis } from './undicis.js';

const TIMEOUT = 300;

for (const { name, undici, skip } of undicis) {
  t.test(`${name}: a server that accepts and says nothing`, { skip }, async (t) => {
    const { port, ended } = await startSilentServer(t);
    const connect = createConnector({ timeout: TIMEOUT });
    const dispatcher = new undici!.Agent({ connect });
    t.teardown(() => dispatcher.destroy());
    const start = performance.now();
    const error = await rejection(undici!.request(`https://localhost:${port}/`, { dispatcher }));
    const elapsed = performance.now() - start;

    t.equal(error.code, 'UND_ERR_CONNECT_TIMEOUT');
    t.ok(error instanceof undici!.errors.ConnectTimeoutError);
    t.match(error.message, `:${port}`);
    t.match(error.message, `timeout: ${TIMEOUT}ms`);
    t.ok(elapsed >= TIMEOUT - 1 && elapsed < TIMEOUT + 1500, `after ${elapsed} ms`);
    await ended;
    t.pass('the connection is closed');
  });
}

t.test('an address that does not answer', async (t) => {
  const port = await startDeafServer(t);
  const connector = createConnector({ timeout: TIMEOUT });
  const outcome = await connect(connector, callFor({ port }, { hostname: '127.0.0.1' }));
  t.equal(outcome.error?.code, 'UND_ERR_CONNECT_TIMEOUT');
  await sleep(100);
  t.equal(outcome.calls, 1);
});

t.test('one address that does not answer among others that refuse', async (t) => {
  const port = await startDeafServer(t);
  const connector = createConnector({
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 20,
    lookup: (_hostname, _options, callback) => {
      const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
      callback(null, addresses);
    },
  });
  // net.connect gives up on the silent one long before our own timer rings.
  const outcome = await connect(connector, callFor({ port }));
  t.equal(outcome.error?.code, 'UND_ERR_CONNECT_TIMEOUT');
  t.match(outcome.error?.message, `attempted addresses: 127.0.0.1:${port}, 127.0.0.2:${port}`);
  t.type(outcome.error?.cause, AggregateError);
});

t.test('a name lookup that does not end', async (t) => {
  const connector = createConnector({ timeout: TIMEOUT, lookup: () => {} });
  const outcome = await connect(connector, callFor({ port: 443 }));
  t.equal(outcome.error?.code, 'UND_ERR_CONNECT_TIMEOUT');
});

t.test('timeout: 0 waits for as long as it takes', async (t) => {
  const silent = await startSilentServer(t);
  const connecting = connect(createConnector({ timeout: 0 }), callFor(silent));
  t.equal(await Promise.race([connecting, sleep(2 * TIMEOUT)]), undefined);
  silent.dropAll();
  t.equal((await connecting).error?.code, 'ECONNRESET');
});

t.test('a timeout that is longer than any timer waits too', async (t) => {
  const silent = await startSilentServer(t);
  const connecting = connect(createConnector({ timeout: Infinity }), callFor(silent));
  t.equal(await Promise.race([connecting, sleep(TIMEOUT)]), undefined);
  silent.dropAll();
  t.equal((await connecting).error?.code, 'ECONNRESET');
});

t.test('a process that was busy has not used up its peer’s time', async (t) => {
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  const connecting = connect(createConnector({ ca, timeout: 4000 }), callFor(origin));
  const busyUntil = Date.now() + 4200;
  while (Date.now() < busyUntil);
  const { error, socket } = await connecting;
  t.equal(error, null);
  socket?.destroy();
});

t.test('the timer stops once the connection is there', async (t) => {
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  const outcome = await connect(createConnector({ ca, timeout: TIMEOUT }), callFor(origin));
  await sleep(2 * TIMEOUT);
  t.equal(outcome.calls, 1);
  t.equal(outcome.socket?.destroyed, false);
  outcome.socket?.destroy();
});

async function rejection(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  return promise.then(
    () => new Error('not rejected'),
    (error: Error) => error,
  );
}

/** Accepts and never writes; `ended` resolves when its first client has gone. */
async function startSilentServer(t: tap.Test) {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket.resume().on('error', () => {}));
  });
  const ended = once(server, 'connection').then(([socket]) => once(socket as net.Socket, 'close'));
  const dropAll = () => sockets.forEach((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    dropAll();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, ended, dropAll };
}

/**
 * A port on which SYNs go unanswered: the listener is a stopped process, and its queue is full.
 */
async function startDeafServer(t: tap.Test): Promise<number> {
  const source = `
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      process.send(server.address().port);
    });`;
  const child = fork('-e', [source], { execArgv: [] });
  t.teardown(() => child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  for (;;) {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    t.teardown(() => socket.destroy());
    const connected = once(socket, 'connect').then(() => true);
    if (!(await Promise.race([connected, sleep(200, false)]))) {
      return port;
    }
  }
}
