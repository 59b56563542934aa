/** RFC 9113, section 4.1: length (3 bytes), type, flags, stream (4 bytes). */
const FRAME_HEADER_LENGTH = 9;
const HEADERS = 0x01;
const PUSH_PROMISE = 0x05;
const CONTINUATION = 0x09;
const FRAMES_OF_BLOCKS = new Set([HEADERS, PUSH_PROMISE, CONTINUATION]);
const END_HEADERS = 0x04;

/** Finds the ends of header blocks in the bytes of an HTTP/2 connection, however they are cut. */
export class HeaderBlocks {
  readonly #frameHeader = Buffer.alloc(FRAME_HEADER_LENGTH);
  #headerLength = 0;
  #payloadLeft = 0;
  #endsBlock = false;

  /**
   * Reads on in the connection's bytes, up to the end of the next header block.
   *
   * @param chunk - what follows what was read so far
   * @returns where in `chunk` reading stopped, and whether a header block is `complete` there
   */
  next(chunk: Buffer): { end: number; complete: boolean } {
    let end = 0;
    while (end < chunk.length) {
      if (this.#headerLength < FRAME_HEADER_LENGTH) {
        end += this.#readFrameHeader(chunk, end);
      }
      const skipped = Math.min(this.#payloadLeft, chunk.length - end);
      this.#payloadLeft -= skipped;
      end += skipped;
      if (this.#headerLength === FRAME_HEADER_LENGTH && this.#payloadLeft === 0) {
        this.#headerLength = 0;
        if (this.#endsBlock) {
          return { end, complete: true };
        }
      }
    }
    return { end, complete: false };
  }

  #readFrameHeader(chunk: Buffer, offset: number): number {
    const missing = FRAME_HEADER_LENGTH - this.#headerLength;
    const copied = chunk.copy(this.#frameHeader, this.#headerLength, offset, offset + missing);
    this.#headerLength += copied;
    if (this.#headerLength === FRAME_HEADER_LENGTH) {
      const [type, flags] = [this.#frameHeader[3]!, this.#frameHeader[4]!];
      this.#payloadLeft = this.#frameHeader.readUIntBE(0, 3);
      this.#endsBlock = FRAMES_OF_BLOCKS.has(type) && (flags & END_HEADERS) !== 0;
    }
    return copied;
  }
}
