/**
 * A slow reader slows the writer down: what was written and not read lies in the kernel's buffers
 * and nowhere else, and megabytes arrive as they were sent.
 */
import type { TlsStream } from '@node-aws-lc/core';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected } from '../helpers/handshake.js';
import { mostInOneTurn } from '../helpers/turns.js';
import { eventually, nextEvent, within } from '../helpers/wait.js';

const megabyte = 1024 * 1024;
/** More than the buffers of a loopback connection hold. */
const flood = 64 * megabyte;

/** Writes until the stream has refused for a while, and says how much it took. */
async function fill(stream: TlsStream): Promise<number> {
  const chunk = Buffer.alloc(megabyte, 'f');
  let written = 0;
  while (written < flood) {
    written += chunk.length;
    if (stream.write(chunk)) continue;
    const drained = await Promise.race([
      nextEvent(stream, 'drain', 60_000).then(() => true),
      sleep(300, false),
    ]);
    if (!drained) return written;
  }
  return written;
}

for (const transport of ['tcp', 'unix', 'duplex'] as const) {
  for (const writer of ['client', 'server'] as const) {
    t.test(`a reader that does not read stops the ${writer} over ${transport}`, async (t) => {
      const ends = await connected(t, { transport });
      const other = writer === 'client' ? ends.server : ends.client;
      const written = await fill(ends[writer]);
      t.ok(written < flood, `stopped after ${written} bytes`);
      t.ok(ends[writer].writableNeedDrain);
      t.ok(other.readableLength < megabyte, `${other.readableLength} bytes wait in the reader`);

      let received = 0;
      other.on('data', (chunk: Buffer) => (received += chunk.length));
      await eventually('all of it', () => received === written, 30_000);
      t.notOk(ends[writer].writableNeedDrain, 'and the writer was let go on');
    });
  }

  t.test(`megabytes in both directions at once over ${transport}`, async (t) => {
    const handshake = { allowHalfOpen: true };
    const { client, server } = await connected(t, { transport, handshake });
    const [question, answer] = [randomBytes(24 * megabyte), randomBytes(24 * megabyte)];
    const [seenByServer, seenByClient] = [digest(server), digest(client)];
    await within(
      'both transfers',
      Promise.all([feed(question, client, 100_003), feed(answer, server, 4099)]),
      60_000,
    );
    t.equal(await seenByServer, sha256(question));
    t.equal(await seenByClient, sha256(answer));
  });
}

for (const transport of ['tcp', 'unix'] as const) {
  t.test(`a backlog is read in turns with everybody else over ${transport}`, async (t) => {
    const { client, server } = await connected(t, { transport });
    t.ok((await mostInOneTurn(client, server)) <= megabyte);
  });
}

t.test('a reader that pauses now and then gets everything in order', async (t) => {
  const { client, server } = await connected(t);
  const data = randomBytes(8 * megabyte);
  const hash = createHash('sha256');
  server.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    server.pause();
    setImmediate(() => server.resume());
  });
  client.end(data);
  await nextEvent(server, 'end', 60_000);
  t.equal(hash.digest('hex'), sha256(data));
});

t.test('no data is delivered while the stream is paused', async (t) => {
  const { client, server } = await connected(t);
  server.on('data', () => {});
  server.pause();
  server.once('data', () => t.ok(resumed, 'only after resume'));
  let resumed = false;
  client.write('something');
  await sleep(100);
  resumed = true;
  server.resume();
  await nextEvent(server, 'data');
});

t.test('small writes in one turn arrive in order, corked or not', async (t) => {
  const { client, server } = await connected(t);
  const expected = Array.from({ length: 5000 }, (_, i) => `${i};`).join('');
  client.cork();
  for (let i = 0; i < 2500; i++) client.write(`${i};`);
  client.uncork();
  for (let i = 2500; i < 5000; i++) client.write(Buffer.from(`${i};`));
  client.end();
  let text = '';
  server.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await nextEvent(server, 'end');
  t.equal(text, expected);
});

t.test('every kind of chunk and encoding that a stream takes', async (t) => {
  const { client, server } = await connected(t);
  client.write('häßlich', 'utf8');
  client.write('c3a9', 'hex');
  client.write('w6k=', 'base64');
  client.write('é', 'latin1');
  client.write('ab', 'utf16le');
  client.write(new Uint8Array([1, 2, 3]));
  client.write('');
  client.write(Buffer.alloc(0));
  client.end('end');
  const chunks: Buffer[] = [];
  server.on('data', (chunk: Buffer) => chunks.push(chunk));
  await nextEvent(server, 'end');
  const expected = [
    Buffer.from('häßlichéé'),
    Buffer.from([0xe9]),
    Buffer.from('ab', 'utf16le'),
    Buffer.from([1, 2, 3]),
    Buffer.from('end'),
  ];
  t.same(Buffer.concat(chunks), Buffer.concat(expected));
});

t.test('a buffer may be reused once its write has been called back', async (t) => {
  const { client, server } = await connected(t);
  const buffer = Buffer.alloc(200_000);
  const received: Buffer[] = [];
  server.on('data', (chunk: Buffer) => received.push(Buffer.from(chunk)));
  for (let i = 0; i < 20; i++) {
    buffer.fill(i);
    await new Promise<void>((resolve) => client.write(buffer, () => resolve()));
  }
  client.end();
  await nextEvent(server, 'end');
  const whole = Buffer.concat(received);
  t.equal(whole.length, 20 * buffer.length);
  for (let i = 0; i < 20; i++) {
    const part = whole.subarray(i * buffer.length, (i + 1) * buffer.length);
    t.ok(part.equals(Buffer.alloc(buffer.length, i)));
  }
});

t.test('a chunk that was received is not overwritten by the next one', async (t) => {
  const { client, server } = await connected(t);
  const kept: Buffer[] = [];
  server.on('data', (chunk: Buffer) => kept.push(chunk));
  for (let i = 0; i < 50; i++) {
    client.write(Buffer.alloc(1000, i));
    await sleep(2);
  }
  client.end();
  await nextEvent(server, 'end');
  const expected = Array.from({ length: 50 }, (_, i) => Buffer.alloc(1000, i));
  t.ok(Buffer.concat(kept).equals(Buffer.concat(expected)));
});

/** Sends `data` in chunks of `size` bytes and ends. */
function feed(data: Buffer, to: TlsStream, size: number): Promise<void> {
  const chunks = function* () {
    for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
  };
  return pipeline(Readable.from(chunks(), { objectMode: false }), to);
}

async function digest(stream: TlsStream): Promise<string> {
  const hash = createHash('sha256');
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  await nextEvent(stream, 'end', 60_000);
  return hash.digest('hex');
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
