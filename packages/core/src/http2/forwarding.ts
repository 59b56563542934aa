import type * as net from 'node:net';
import type { TlsStream } from '../stream/tls-stream';

/** A socket that carries an HTTP/2 session and answers every question from its TLS stream. */
export interface Http2Socket extends net.Socket {
  /** The TLS stream underneath. */
  readonly stream: TlsStream;
  /** @internal Writes between two writes of the session, each of which is of whole frames. */
  _writeBetween(bytes: Buffer): void;
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

/** Called on the stream; those that return the stream for chaining return the socket instead. */
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
  'setKeepAlive',
  'setNoDelay',
] as const;

/**
 * Has a class of sockets answer from the stream: a session takes everything that it tells its users (`encrypted`,
 * `alpnProtocol`, the origin set, `req.socket.remoteAddress`, `authorized`, …) from its socket.
 */
export function forwardToStream(prototype: Http2Socket): void {
  for (const name of FORWARDED_PROPERTIES) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: Http2Socket) {
        return this.stream[name];
      },
      // net.Socket's constructor and http2 assign some of these; the stream's answer stands.
      set() {},
    });
  }

  for (const name of FORWARDED_METHODS) {
    Object.defineProperty(prototype, name, {
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
}
