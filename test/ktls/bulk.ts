/** Moving a lot of data through a stream, in pieces of awkward sizes, and checking every byte. */
import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { nextEvent, within } from '../helpers/wait.js';

/** The amount that the tests move: 3 MiB. */
export const bulk = 3 * 2 ** 20;

// Around a record's length, a page's, and nothing.
const pieces = [1, 16_383, 16_384, 16_385, 4096, 100_003, 0, 333, 65_536];

/** Sends `length` random bytes from one stream to another; answers whether they arrived as sent. */
export async function transferred(from: Duplex, to: Duplex, length = bulk): Promise<boolean> {
  const data = randomBytes(length);
  const arrived = digestOf(to, length);
  await writeInPieces(from, data);
  const digest = await within(`${length} bytes`, arrived, 60_000);
  return digest === createHash('sha256').update(data).digest('hex');
}

/** Writes at the pace of the reader. */
async function writeInPieces(to: Duplex, data: Buffer): Promise<void> {
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const piece = data.subarray(at, at + pieces[turn % pieces.length]!);
    at += piece.length;
    if (!to.write(piece)) await nextEvent(to, 'drain', 60_000);
  }
}

/** The digest of the next `length` bytes; takes away its own listeners and leaves the stream paused. */
function digestOf(from: Duplex, length: number): Promise<string> {
  const hash = createHash('sha256');
  let received = 0;
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      hash.update(chunk);
      received += chunk.length;
      if (received < length) return;
      settle();
      from.pause();
      if (received > length) reject(new Error(`${received} bytes came, not ${length}`));
      else resolve(hash.digest('hex'));
    };
    const onEnd = (): void => {
      settle();
      reject(new Error(`ended after ${received} of ${length} bytes`));
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const settle = (): void => {
      from.off('data', onData).off('end', onEnd).off('error', onError);
    };
    from.on('data', onData).on('end', onEnd).on('error', onError);
  });
}
