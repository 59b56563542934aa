/**
 * Two Duplexes joined in memory that behave like the two ends of a socket.
 *
 * `stream.duplexPair` will not do: on Node 20 one side never hears that the other was destroyed,
 * and its writes then wait for ever.
 */
import { Duplex } from 'node:stream';

class Side extends Duplex {
  peer!: Side;
  /** The peer's write that waits until this side reads on. */
  private waiting: (() => void) | undefined;

  override _read(): void {
    const proceed = this.waiting;
    this.waiting = undefined;
    proceed?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (e?: Error) => void): void {
    if (this.peer.destroyed) {
      callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return;
    }
    this.peer.waiting = callback;
    this.peer.push(chunk);
  }

  override _final(callback: () => void): void {
    this.peer.hangUp();
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this._read();
    setImmediate(() => this.peer.hangUp());
    callback(error);
  }

  private hangUp(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }
}

/** A connected pair; `highWaterMark` bounds what lies in each direction. */
export function memoryPair(highWaterMark?: number): [Duplex, Duplex] {
  const options = highWaterMark === undefined ? {} : { highWaterMark };
  const [one, other] = [new Side(options), new Side(options)];
  one.peer = other;
  other.peer = one;
  return [one, other];
}
