/** Users act on a stream from inside its own events; none of it may crash, hang or lose data. */
import type { TlsStream } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected, type Ends, handshake } from '../helpers/handshake.js';
import { eventually, nextEvent } from '../helpers/wait.js';

const actions: Record<string, (stream: TlsStream, peer: TlsStream) => void> = {
  'destroys it': (stream) => void stream.destroy(),
  'destroys it with an error': (stream) => void stream.destroy(new Error('enough')),
  'ends it': (stream) => void stream.end('bye'),
  'destroys it soon': (stream) => stream.destroySoon(),
  'destroys its peer': (_stream, peer) => void peer.destroy(),
  'destroys both': (stream, peer) => void (stream.destroy(), peer.destroy()),
  'writes and destroys': (stream) => void (stream.write(Buffer.alloc(500_000)), stream.destroy()),
  'pauses it and destroys it later': (stream) => {
    stream.pause();
    setImmediate(() => stream.destroy());
  },
};

/** Both ends close, whoever began. */
async function bothClose({ client, server }: Ends): Promise<void> {
  client.resume();
  server.resume();
  await eventually('both ends to close', () => client.closed && server.closed);
}

for (const transport of ['tcp', 'duplex'] as const) {
  for (const [what, act] of Object.entries(actions)) {
    t.test(`a data handler that ${what}, over ${transport}`, async (t) => {
      const ends = await quiet(t, transport);
      const arrived = nextEvent(ends.server, 'data');
      ends.server.once('data', () => act(ends.server, ends.client));
      ends.client.write(Buffer.alloc(300_000));
      await arrived;
      await bothClose(ends);
      t.pass('both ends closed');
    });

    t.test(`a write callback that ${what}, over ${transport}`, async (t) => {
      const ends = await quiet(t, transport);
      ends.server.resume();
      await new Promise<void>((resolve) => {
        ends.client.write(Buffer.alloc(300_000), () => {
          act(ends.client, ends.server);
          resolve();
        });
      });
      await bothClose(ends);
      t.pass('both ends closed');
    });
  }

  t.test(`an 'end' handler that writes and ends, over ${transport}`, async (t) => {
    const ends = await connected(t, { transport, handshake: { allowHalfOpen: true } });
    ends.server.resume().on('end', () => ends.server.end('the answer'));
    let answer = '';
    ends.client.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    ends.client.end('a question');
    await nextEvent(ends.client, 'end');
    t.equal(answer, 'the answer');
    await bothClose(ends);
  });
}

t.test('a data handler that throws leaves its error to the process alone', async (t) => {
  const ends = await quiet(t, 'tcp');
  const bug = new Error('a bug in the handler');
  const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
  const listeners = process.listeners('uncaughtException').slice(0, -1);
  for (const listener of listeners) process.off('uncaughtException', listener);
  ends.server.once('data', () => {
    throw bug;
  });
  ends.client.write('first');
  t.equal(await caught, bug);
  for (const listener of listeners) process.on('uncaughtException', listener);
  let text = '';
  ends.server.on('data', (chunk: Buffer) => (text += chunk.toString()));
  ends.client.write('second');
  await eventually('the stream to go on', () => text.endsWith('second'));
});

t.test('checkServerIdentity that gives up on the connection', async (t) => {
  const controller = new AbortController();
  const checkServerIdentity = () => void controller.abort();
  const { client, server } = await handshake(t, {
    client: { checkServerIdentity },
    handshake: { signal: controller.signal },
  });
  t.match(client, { code: 'ABORT_ERR' });
  t.match(server, { code: 'ABORT_ERR' });
});

t.test('a ping-pong within one turn of the loop is served in order', async (t) => {
  const { client, server } = await connected(t);
  const seen: string[] = [];
  server.on('data', (chunk: Buffer) => server.write(`pong ${chunk.toString()}`));
  client.on('data', (chunk: Buffer) => {
    seen.push(chunk.toString());
    if (seen.length < 500) client.write(`${seen.length}`);
  });
  client.write('0');
  await eventually('500 answers', () => seen.length === 500);
  t.same(
    seen,
    Array.from({ length: 500 }, (_, i) => `pong ${i}`),
  );
});

t.test('one busy connection does not starve another', async (t) => {
  const [busy, quietOne] = [await connected(t), await connected(t)];
  busy.server.resume();
  const chunk = Buffer.alloc(1_000_000);
  const flood = (): void => void (busy.client.destroyed || busy.client.write(chunk, flood));
  flood();
  quietOne.server.pipe(quietOne.server);
  let worst = 0;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    quietOne.client.write('ping');
    await nextEvent(quietOne.client, 'data');
    worst = Math.max(worst, performance.now() - start);
    await sleep(5);
  }
  t.ok(worst < 500, `the slowest answer took ${worst.toFixed(1)} ms`);
  busy.client.on('error', () => {}).destroy();
});

/** Both ends with their errors looked after. */
async function quiet(t: Test, transport: 'tcp' | 'duplex'): Promise<Ends> {
  const ends = await connected(t, { transport });
  ends.client.on('error', () => {});
  ends.server.on('error', () => {});
  return ends;
}
