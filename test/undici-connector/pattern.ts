/** Bodies whose every byte can be checked, without holding them in memory. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

/** A prime, so that no buffer size along the way divides it. */
const BLOCK = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

/** A stream of `length` known bytes. */
export function pattern(length: number): Readable {
  return Readable.from(blocks(length), { objectMode: false });
}

/** The SHA-256 of `pattern(length)`, in hexadecimal. */
export function patternDigest(length: number): string {
  const hash = createHash('sha256');
  for (const block of blocks(length)) {
    hash.update(block);
  }
  return hash.digest('hex');
}

function* blocks(length: number): Generator<Buffer> {
  for (let sent = 0; sent < length; sent += BLOCK.length) {
    yield BLOCK.subarray(0, Math.min(BLOCK.length, length - sent));
  }
}
