import * as native from '@node-aws-lc/native';

// Plaintext crosses between JavaScript and native code in two buffers that both sides know, because handing over a
// buffer a call costs more than copying a small one.

/** What one read can deliver at most. */
const READ_SLAB = 64 * 1024;
/** Reads up to this size are copied out, so that a small chunk that somebody keeps does not keep the whole slab. */
const COPY_UP_TO = 8 * 1024;
/** Writes up to this size are gathered here and sealed in as few records as they fill. */
export const WRITE_SLAB = 32 * 1024;

let readSlab = Buffer.allocUnsafeSlow(READ_SLAB);
native.setReadSlab(readSlab);

/** The write slab; valid for native code on every `writeSlab(length)`. */
export const writeSlab = Buffer.allocUnsafeSlow(WRITE_SLAB);
native.setWriteSlab(writeSlab);

/** Takes what a read has left in the slab. */
export function takeRead(length: number): Buffer {
  if (length <= COPY_UP_TO) {
    const chunk = Buffer.allocUnsafe(length);
    readSlab.copy(chunk, 0, 0, length);
    return chunk;
  }
  const chunk = readSlab.subarray(0, length);
  readSlab = Buffer.allocUnsafeSlow(READ_SLAB);
  native.setReadSlab(readSlab);
  return chunk;
}
