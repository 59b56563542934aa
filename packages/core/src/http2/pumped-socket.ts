import net from 'node:net';
import { finished } from 'node:stream';
import type { TlsStream } from '../stream/tls-stream';
import { forwardToStream, type Http2Socket } from './forwarding';

type Callback = (error?: Error | null) => void;

interface SocketInternals {
  _final(callback: Callback): void;
  _destroy(error: Error | null, callback: Callback): void;
}

const inherited = net.Socket.prototype as unknown as SocketInternals;

/**
 * One end of a socket pair whose other end the stream's connection reads and writes. Through a handle of libuv's a
 * session moves its frames without a Buffer for each, which over a stream made of JavaScript costs more than TLS.
 */
export class PumpedSocket extends net.Socket implements Http2Socket {
  readonly stream: TlsStream;

  /** @param fd - becomes the socket's own */
  constructor(stream: TlsStream, fd: number) {
    super({ fd });
    this.stream = stream;
    stream.on('error', (error) => this.destroy(error));
    stream.on('close', () => {
      // After the peer's end there may be something left to read, and the end comes behind it.
      if (!stream.readableEnded || !stream.writableFinished) this.destroy();
    });
  }

  /** Is through when the peer's side of the connection has taken everything, not this end of the pair. */
  override _final(callback: Callback): void {
    inherited._final.call(this, (error) => {
      if (error) callback(error);
      else finished(this.stream, { readable: false }, () => callback());
    });
  }

  override _destroy(error: Error | null, callback: Callback): void {
    inherited._destroy.call(this, error, callback);
    this.stream.destroy();
  }

  /** @internal The handle has one queue for the session and for us; the stream would write past it. */
  _writeBetween(bytes: Buffer): void {
    this.write(bytes);
  }

  override ref(): this {
    this.stream.ref();
    return super.ref();
  }

  override unref(): this {
    this.stream.unref();
    return super.unref();
  }

  static {
    forwardToStream(this.prototype);
  }
}
