/**
 * What lies in the socket when the handshake ends: data in one segment with the last flight, whole
 * records and parts of them. None of it may be lost, and none of it costs kernel TLS.
 */
import {
  type ClientConfigOptions,
  ClientConfig,
  type HandshakeOptions,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOptions, read, readAll, sent, serverOptions } from '../helpers/handshake.js';
import { tcpPair } from '../helpers/transports.js';
import { eventually, nextEvent } from '../helpers/wait.js';
import { parseRecords } from '../helpers/wire.js';
import { transferred } from './bulk.js';
import { type Lane, relayed } from './relay.js';
import { expectInstalls } from './statistics.js';

const acceptor = once(async () => {
  return new TlsAcceptor(new ServerConfig(await serverOptions({ ktls: 'require' })));
});

/** A client in userspace: its records are made by AWS-LC, and the server's are taken by the kernel. */
async function connector(options: ClientConfigOptions = {}) {
  return new TlsConnector(new ClientConfig(await clientOptions({ ktls: 'off', ...options })));
}

interface Held {
  client: TlsStream;
  /** The server, once the client's last flight is let through. */
  accepted: Promise<TlsStream>;
  up: Lane;
}

/** A client that has finished its handshake and written, all of which the relay holds back. */
async function heldClient(
  t: Test,
  write: (client: TlsStream) => void,
  options?: HandshakeOptions,
): Promise<Held> {
  const { client: near, server: far, up } = await relayed(t);
  up.onFlight = (flight) => flight === 1 && up.holdFrom(up.seen.length);
  const accepted = (await acceptor()).accept(far, options);
  const client = await (await connector()).connect('localhost', near);
  client.on('error', () => {});
  t.teardown(() => client.destroy());
  write(client);
  // Long enough for all that it has to say.
  await sleep(50);
  return { client, accepted, up };
}

async function goesOn(t: Test, client: TlsStream, server: TlsStream): Promise<void> {
  t.ok(await transferred(client, server, 100_000), 'up, and on it goes');
  t.ok(await transferred(server, client, 100_000), 'down');
  t.same(server.ktls, { tx: true, rx: true });
}

for (const length of [1, 16_384, 50_000, 200_000]) {
  t.test(`${length} bytes with the client's Finished`, async (t) => {
    await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
      const data = Buffer.alloc(length, 'abcdefghijk');
      const { client, accepted, up } = await heldClient(t, (client) => client.write(data));
      await up.holds(length);
      up.release();
      const server = await accepted;
      t.equal(await read(server, length), data.toString());
      await goesOn(t, client, server);
    });
  });
}

t.test('a part of a record with the client’s Finished, wherever it is cut', async (t) => {
  const data = 'x'.repeat(1000);
  for (const cut of [1, 4, 5, 6, 500, -1]) {
    await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
      const { client, accepted, up } = await heldClient(t, (client) => client.write(data), {
        // 'require' waits for the rest of the record: required.test.ts.
        ktls: 'auto',
      });
      await up.holds(data.length);
      const record = 5 + parseRecords(up.held).at(-1)!.body.length;
      up.release(up.held.length - record + (cut < 0 ? record + cut : cut));
      const server = await accepted;
      t.equal(server.ktls.tx, true);
      await sleep(20);
      t.equal(server.readableLength, 0, `nothing of a record that was cut at ${cut}`);
      up.release();
      t.equal(await read(server, data.length), data);
      await goesOn(t, client, server);
    });
  }
});

t.test('many records and a part of one with the client’s Finished', async (t) => {
  await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
    const data = 'y'.repeat(120_000);
    const { client, accepted, up } = await heldClient(t, (client) => client.write(data), {
      // 'require' waits for the rest of the record: required.test.ts.
      ktls: 'auto',
    });
    await up.holds(data.length);
    up.release(up.held.length - 777);
    const server = await accepted;
    await sleep(20);
    up.release();
    t.equal(await read(server, data.length), data);
    await goesOn(t, client, server);
  });
});

t.test('data and close_notify with the client’s Finished', async (t) => {
  // The kernel takes over no connection whose peer has ended, and it is too late for it anyway.
  const write = (client: TlsStream) => client.end('all that I had');
  const { client, accepted, up } = await heldClient(t, write, { ktls: 'auto' });
  client.resume();
  up.release();
  const server = await accepted;
  t.equal((await readAll(server)).toString(), 'all that I had');
  t.equal(server.closeNotifyReceived, true);
});

t.test('data with the client’s Finished of a resumed TLS 1.2 session', async (t) => {
  const maxVersion = 'TLSv1.2';
  const under = await tcpPair(t);
  const first = (await acceptor()).accept(under.server);
  const client = await (await connector({ maxVersion })).connect('localhost', under.client);
  t.equal(await sent(await first, client, 'hello'), 'hello');
  const session = client.getSession()!;

  const { client: near, server: far, up } = await relayed(t);
  up.onFlight = (flight) => flight === 1 && up.holdFrom(up.seen.length);
  const accepted = (await acceptor()).accept(far);
  const again = await (await connector({ maxVersion })).connect('localhost', near, { session });
  t.teardown(() => again.destroy());
  t.equal(again.negotiated.resumed, true);
  again.write('early bird');
  await sleep(50);
  up.release();
  const server = await accepted;
  t.equal(await read(server, 10), 'early bird');
  await goesOn(t, again, server);
});

t.test('data with the server’s Finished of TLS 1.2', async (t) => {
  await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
    const { client: near, server: far, up, down } = await relayed(t);
    // When the client has answered, all of the server's first flight has come through.
    up.onFlight = (flight) => flight === 2 && down.hold();
    const accepted = (await acceptor()).accept(far);
    const eager = await connector({ ktls: 'auto', maxVersion: 'TLSv1.2' });
    const connecting = eager.connect('localhost', near);
    const server = await accepted;
    server.write('z'.repeat(40_000));
    await down.holds(40_000);
    down.release(down.held.length - 10);
    const client = await connecting;
    await sleep(20);
    down.release();
    t.equal(await read(client, 40_000), 'z'.repeat(40_000));
    t.same(client.ktls, { tx: true, rx: true });
    await goesOn(t, client, server);
    client.destroy();
  });
});

t.test('one byte at a time', async (t) => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
      const { client: near, server: far, up, down } = await relayed(t);
      for (const lane of [up, down]) lane.hold();
      const drip = setInterval(() => [up, down].forEach((lane) => lane.release(1)), 0);
      t.teardown(() => clearInterval(drip));
      const accepted = (await acceptor()).accept(far);
      const dripped = await connector({ ktls: 'require', maxVersion, groups: ['X25519', 'P-256'] });
      const client = await dripped.connect('localhost', near);
      client.write('and then some');
      const server = await accepted;
      t.equal(await read(server, 13), 'and then some');
      t.equal(await sent(server, client, 'likewise'), 'likewise');
      await eventually('the whole of it in the kernel', () => client.ktlsActive);
      clearInterval(drip);
      for (const lane of [up, down]) lane.release();
      await goesOn(t, client, server);
      client.destroy();
    });
  }
});

t.test('bytes that somebody has read before and put back', async (t) => {
  const { client: near, server: far } = await tcpPair(t);
  const connecting = (await connector()).connect('localhost', near);
  await nextEvent(far, 'readable');
  const hello = far.read() as Buffer;
  far.unshift(hello);
  const server = await (await acceptor()).accept(far);
  const client = await connecting;
  t.teardown(() => client.destroy());
  await goesOn(t, client, server);
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
