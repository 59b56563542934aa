import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import tls from 'node:tls';
import type { TlsStream } from '../stream/tls-stream';
import { deliverByHeaderBlocks } from './delivery';
import { forwardToStream, type Http2Socket } from './forwarding';

type StreamSocketClass = new (stream: TlsStream) => Http2Socket;

/** JSStreamSocket: what the native session calls to have bytes sent and the sending side closed. */
interface Wrapper extends Http2Socket {
  doWrite(request: object, buffers: Buffer[]): number;
  doShutdown(request: object): number;
}

// As they are now: `register` puts others in their place.
const { TLSSocket: NodeSocket, createSecureContext } = tls;

let streamSocketClass: StreamSocketClass | undefined;

/**
 * Wraps a stream that has no descriptor as node:http2 would by itself. Its own wrapper would answer for the stream and
 * knows nothing of it: the session would claim to be `h2c` in clear text from nowhere. So we build it, from the same
 * class, and teach it.
 */
export function wrapStream(stream: TlsStream): Http2Socket {
  streamSocketClass ??= defineStreamSocket();
  const socket = new streamSocketClass(stream);
  if (stream._side === 'client') deliverByHeaderBlocks(socket);
  return socket;
}

function defineStreamSocket(): StreamSocketClass {
  class StreamBackedSocket extends jsStreamSocketClass() {
    #shutDown = false;

    constructor(stream: TlsStream) {
      super(stream);
      if (!isConnecting(stream)) return;
      stream.once('secureConnect', () => this.emit('connect'));
      stream.once('close', () => this.destroy());
    }

    /** The wrapper's handle has one write at a time, and that is the session's. */
    override _writeBetween(bytes: Buffer): void {
      this.stream.write(bytes);
    }

    override doShutdown(request: object): number {
      this.#shutDown = true;
      // Nothing was sent that an orderly end would have to wait for.
      if (isConnecting(this.stream)) this.stream.destroy();
      return super.doShutdown(request);
    }

    /**
     * A session whose socket fails sends GOAWAY, be its sending side closed or not. JSStreamSocket
     * asserts that it is not: a peer that resets the connection at the right moment would end the
     * process.
     */
    override doWrite(request: object, buffers: Buffer[]): number {
      return this.#shutDown ? -constants.errno.EPIPE : super.doWrite(request, buffers);
    }
  }

  // What makes a session wait. (`connecting` would do too, but have `end()` wait as well.)
  Object.defineProperty(StreamBackedSocket.prototype, 'secureConnecting', {
    configurable: true,
    get(this: Http2Socket) {
      return isConnecting(this.stream);
    },
  });
  for (const name of ['ref', 'unref'] as const) {
    StreamBackedSocket.prototype[name] = function () {
      this.stream[name]();
      return this;
    };
  }
  forwardToStream(StreamBackedSocket.prototype);
  return StreamBackedSocket;
}

/** Whether the handshake is still to be completed. */
export function isConnecting(stream: TlsStream): boolean {
  return stream.connecting || (stream as { secureConnecting?: boolean }).secureConnecting === true;
}

/**
 * Node's JSStreamSocket. No public name leads to it on every release line (`_stream_wrap` is gone
 * from Node 26), but a TLSSocket over anything that is not a net.Socket holds one.
 */
function jsStreamSocketClass(): new (stream: TlsStream) => Wrapper {
  const probe = new NodeSocket(new PassThrough(), { secureContext: createSecureContext() });
  const { _handle: handle } = probe as unknown as {
    _handle: { _parentWrap: { constructor: new (stream: TlsStream) => Wrapper } };
  };
  const found = handle._parentWrap.constructor;
  probe.destroy();
  return found;
}
