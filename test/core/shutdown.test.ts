/**
 * How a connection ends: close_notify in both directions, and a peer that vanishes.
 *
 * The test of a close_notify is the other end's `closeNotifyReceived` and, in TLS 1.2 where an
 * alert's record type is in the clear, the wire itself.
 */
import type { TlsStream } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected, readAll, sent } from '../helpers/handshake.js';
import { duplexes, tcpPair } from '../helpers/transports.js';
import { nextError, nextEvent } from '../helpers/wait.js';
import { parseRecords, recordTypes, tapped } from '../helpers/wire.js';

/** Every 'end', 'error' and 'close' that a stream emits, in order, once it has closed. */
async function ending(stream: TlsStream): Promise<string[]> {
  const events: string[] = [];
  for (const name of ['end', 'error', 'close']) {
    stream.on(name, (argument) => events.push(name === 'close' ? `close ${argument}` : name));
  }
  await nextEvent(stream, 'close');
  return events;
}

for (const transport of ['tcp', 'unix', 'duplex'] as const) {
  for (const ender of ['client', 'server'] as const) {
    t.test(`the ${ender} ends over ${transport}: one 'end' and one 'close' each`, async (t) => {
      const ends = await connected(t, { transport });
      const other = ender === 'client' ? ends.server : ends.client;
      const endings = Promise.all([ending(ends[ender]), ending(other)]);
      ends[ender].resume().end('goodbye');
      t.equal((await readAll(other)).toString(), 'goodbye');
      t.ok(other.closeNotifyReceived, 'the end was announced');
      for (const events of await endings) t.same(events, ['end', 'close false']);
      t.ok(ends[ender].closeNotifyReceived, 'and answered');
    });
  }
}

t.test('a close_notify is on the wire in each direction, after the last byte', async (t) => {
  const wire = await tapped(t);
  const { client, server } = await connected(t, {
    server: { maxVersion: 'TLSv1.2' },
    transport: wire,
  });
  client.resume().end('a request');
  await readAll(server);
  await nextEvent(client, 'close');
  await sleep(50);
  for (const bytes of [wire.fromClient(), wire.fromServer()]) {
    const types = parseRecords(bytes).map((record) => record.type);
    t.equal(types.at(-1), recordTypes.alert);
    t.equal(types.filter((type) => type === recordTypes.alert).length, 1);
  }
});

t.test('data and end that arrive together are both noticed at once', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    // The client's bytes are held back until all of them can be sent in one segment.
    const [near, far] = [duplexes(t), await tcpPair(t)];
    near.server.pipe(far.server, { end: false }).pipe(near.server);
    const transport = { client: near.client, server: far.client };
    const { client, server } = await connected(t, { transport, server: { maxVersion } });
    near.server.unpipe(far.server);
    server.pipe(server);
    client.write('an echo, please');
    client.end();
    await sleep(50);
    far.server.write(near.server.read(near.server.readableLength) as Buffer);
    const start = Date.now();
    t.equal((await readAll(client)).toString(), 'an echo, please', maxVersion);
    t.ok(Date.now() - start < 1000, 'without waiting for anything else from the wire');
  }
});

t.test('destroy sends close_notify without waiting for an answer', async (t) => {
  for (const transport of ['tcp', 'duplex'] as const) {
    const { client, server } = await connected(t, { transport });
    const events = ending(server.resume());
    client.destroy();
    t.same(await events, ['end', 'close false'], transport);
    t.ok(server.closeNotifyReceived, transport);
  }
});

t.test('everything written before the end arrives before the end', async (t) => {
  const { client, server } = await connected(t);
  const whole = Buffer.alloc(5_000_000, 'x');
  for (let at = 0; at < whole.length; at += 50_000) client.write(whole.subarray(at, at + 50_000));
  client.resume().end();
  t.ok((await readAll(server)).equals(whole));
  t.ok(server.closeNotifyReceived);
});

t.test('a peer that vanishes with a FIN ends the stream with one clear event', async (t) => {
  const { client, vanish } = await throughRelay(t);
  const events = ending(client.resume());
  vanish('end');
  t.same(await events, ['end', 'close false']);
  t.equal(client.closeNotifyReceived, false);
});

t.test('with strictClose a FIN without close_notify is an error', async (t) => {
  const { client, vanish } = await throughRelay(t, { strictClose: true });
  const events = ending(client.resume());
  const error = nextError(client);
  vanish('end');
  t.match(await error, { code: 'ERR_AWS_LC_TRUNCATED', side: 'client' });
  t.same(await events, ['error', 'close true']);
});

t.test('with strictClose an announced end is no error', async (t) => {
  const { client, server } = await connected(t, {
    server: { strictClose: true },
    client: { strictClose: true },
  });
  server.end('all of it');
  t.equal((await readAll(client)).toString(), 'all of it');
  t.ok(client.closeNotifyReceived);
});

t.test('a reset is one error, ECONNRESET, whatever the stream was doing', async (t) => {
  for (const doing of ['reading', 'writing', 'idle'] as const) {
    const { client, vanish } = await throughRelay(t);
    const events = ending(client);
    if (doing === 'reading') client.resume();
    const failed = nextError(client);
    vanish('reset');
    if (doing === 'writing') await writeUntilError(client);
    if (doing === 'idle') await sleep(50).then(() => client.resume());
    t.match((await failed).code, /^(ECONNRESET|EPIPE)$/, doing);
    t.same(await events, ['error', 'close true'], doing);
  }
});

t.test('a Duplex that is destroyed under the stream ends it', async (t) => {
  const under = duplexes(t);
  const { client, server } = await connected(t, { transport: under });
  server.on('error', () => {});
  const events = ending(client.resume());
  under.server.destroy();
  t.same(await events, ['end', 'close false']);
  t.equal(client.closeNotifyReceived, false);
});

t.test('an error of the Duplex underneath is the error of the stream', async (t) => {
  const under = duplexes(t);
  const { client, server } = await connected(t, { transport: under });
  server.on('error', () => {});
  const failed = nextError(client);
  const cause = new Error('the tunnel broke');
  under.client.destroy(cause);
  const error = await failed;
  t.ok(error === cause || error.cause === cause, 'it is told');
});

t.test(
  'writing after the end and after the close is an error of Node’s, not a crash',
  async (t) => {
    const { client } = await connected(t);
    client.end();
    const late = nextError(client);
    t.notOk(client.write('late'));
    t.equal((await late).code, 'ERR_STREAM_WRITE_AFTER_END');
    if (!client.closed) await nextEvent(client, 'close');
    t.doesNotThrow(() => {
      client.write('later still');
      client.end().destroy().destroySoon();
      client.setTimeout(5).setNoDelay().setKeepAlive(true).ref().unref();
    });
  },
);

t.test('data that arrived before the peer vanished is read first', async (t) => {
  const { client, server, vanish } = await throughRelay(t);
  t.equal(await sent(server, client, 'warm'), 'warm');
  server.write(Buffer.alloc(300_000, 'y'));
  await sleep(100);
  vanish('end');
  t.equal((await readAll(client)).length, 300_000);
  t.equal(client.closeNotifyReceived, false);
});

/** A connection through a relay, and a way to cut the wire on the client's side of it. */
async function throughRelay(t: Test, client: { strictClose?: boolean } = {}) {
  const wire = await tapped(t);
  const ends = await connected(t, { client, transport: wire });
  const vanish = (how: 'end' | 'reset'): void => {
    if (how === 'end') wire.relay.client.end();
    else wire.relay.client.resetAndDestroy();
  };
  return { ...ends, vanish };
}

async function writeUntilError(stream: TlsStream): Promise<void> {
  const state = { failed: false };
  stream.once('error', () => (state.failed = true));
  while (!state.failed) {
    stream.write('x'.repeat(1000));
    await sleep(5);
  }
}

t.test('the last bytes and the end travel together', async (t) => {
  for (const last of ['bye', Buffer.alloc(20_000, 'x')]) {
    const wire = await tapped(t);
    const { client, server } = await connected(t, { transport: wire, server: { ktls: 'off' } });
    t.equal(await sent(server, client, 'tickets are through'), 'tickets are through');
    const before = wire.piecesFromServer.length;
    server.end(last);
    t.same(await readAll(client), Buffer.from(last));
    t.equal(client.closeNotifyReceived, true);
    t.equal(wire.piecesFromServer.length, before + 1);
  }
});

t.test('an end that has to wait keeps nothing back', async (t) => {
  const { client, server } = await connected(t, { server: { ktls: 'off' } });
  // The end comes only when the callback of the write before it has.
  server.write('first');
  server.end('last');
  t.equal((await readAll(client)).toString(), 'firstlast');
});
