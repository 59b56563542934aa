/**
 * node:http2 over a `TlsStream`, with its truth kept.
 *
 * An `Http2Session` runs on a native stream handle. Given a socket without one it wraps it in Node's
 * internal JSStreamSocket, and from then on reads everything it tells its users (`encrypted`,
 * `alpnProtocol`, the origin set, `req.socket.remoteAddress`, `authorized`, …) from that wrapper,
 * which knows none of it: the session claims to be `h2c` in clear text from nowhere. So we build the
 * wrapper ourselves, from the same class, and teach it to answer from the stream.
 */
import type * as net from 'node:net';
import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import * as tls from 'node:tls';
import type { TlsStream } from '../stream/tls-stream';

/** A socket that carries an HTTP/2 session and answers every question from its TLS stream. */
export interface Http2Socket extends net.Socket {
  /** The TLS stream underneath. */
  readonly stream: TlsStream;
}

type Http2SocketClass = new (stream: TlsStream) => Http2Socket;

/** JSStreamSocket: what the native session calls to have bytes sent and the sending side closed. */
interface Wrapper extends Http2Socket {
  doWrite(request: object, buffers: Buffer[]): number;
  doShutdown(request: object): number;
}

/** Read from the stream at every access, so that they stay right after it is destroyed. */
const FORWARDED_PROPERTIES = [
  'encrypted',
  'alpnProtocol',
  'servername',
  'authorized',
  'authorizationError',
  'remoteAddress',
  'remoteFamily',
  'remotePort',
  'localAddress',
  'localFamily',
  'localPort',
  'bytesRead',
  'bytesWritten',
  'negotiated',
  'ktls',
  'ktlsActive',
  'ktlsEligibility',
  'closeNotifyReceived',
] as const;

/** Called on the stream; those that return the stream for chaining return the wrapper instead. */
const FORWARDED_METHODS = [
  'address',
  'exportKeyingMaterial',
  'getCipher',
  'getFinished',
  'getPeerCertificate',
  'getPeerFinished',
  'getPeerX509Certificate',
  'getProtocol',
  'getSession',
  'isSessionReused',
  'ref',
  'setKeepAlive',
  'setNoDelay',
  'unref',
] as const;

let http2SocketClass: Http2SocketClass | undefined;

/**
 * Wraps a TLS stream for node:http2: hand the result to `server.emit('connection', socket)` of an
 * `http2.createServer()`, or return it from `createConnection` of `http2.connect()`. The session then
 * reports the stream's own `encrypted`, `alpnProtocol`, addresses, authorisation and certificates.
 *
 * Call it once the handshake is done: a session reads its socket's protocol when it is made. The
 * stream belongs to the returned socket from then on; destroying either destroys both.
 *
 * @param stream - a connected TLS stream on which nobody reads yet
 */
export function http2Socket(stream: TlsStream): Http2Socket {
  http2SocketClass ??= defineHttp2Socket();
  return new http2SocketClass(stream);
}

function defineHttp2Socket(): Http2SocketClass {
  class StreamBackedSocket extends jsStreamSocketClass() {
    #shutDown = false;

    override doShutdown(request: object): number {
      this.#shutDown = true;
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

  for (const name of FORWARDED_PROPERTIES) {
    Object.defineProperty(StreamBackedSocket.prototype, name, {
      configurable: true,
      get(this: Http2Socket) {
        return this.stream[name];
      },
      // net.Socket's constructor and http2 assign some of these; the stream's answer stands.
      set() {},
    });
  }

  for (const name of FORWARDED_METHODS) {
    Object.defineProperty(StreamBackedSocket.prototype, name, {
      configurable: true,
      writable: true,
      value(this: Http2Socket, ...args: unknown[]) {
        const methods = this.stream as unknown as Record<
          typeof name,
          (...args: unknown[]) => unknown
        >;
        const result = methods[name](...args);
        return result === this.stream ? this : result;
      },
    });
  }

  return StreamBackedSocket;
}

/**
 * Node's JSStreamSocket. No public name leads to it on every release line (`_stream_wrap` is gone
 * from Node 26), but a TLSSocket over anything that is not a net.Socket holds one.
 */
function jsStreamSocketClass(): new (stream: TlsStream) => Wrapper {
  const probe = new tls.TLSSocket(new PassThrough());
  const { _handle: handle } = probe as unknown as {
    _handle: { _parentWrap: { constructor: new (stream: TlsStream) => Wrapper } };
  };
  const found = handle._parentWrap.constructor;
  probe.destroy();
  return found;
}
