/**
 * node:http2 over a `TlsStream`, with its truth kept.
 *
 * An `Http2Session` runs on a native stream handle. A stream over a descriptor gets it one: the plaintext goes through
 * a socket pair, see `pumped-socket.ts`. Any other is wrapped as Node itself would wrap it, see `js-stream-socket.ts`; so
 * is every stream while the process has no descriptor left.
 */
import type { TlsStream } from '../stream/tls-stream';
import type { Http2Socket } from './forwarding';
import { isConnecting, wrapStream } from './js-stream-socket';
import { PumpedSocket } from './pumped-socket';

/**
 * A socket for node:http2 to run a session on over a TLS stream: hand the result to `server.emit('connection', socket)`
 * of an `http2.createServer()`, or return it from `createConnection` of `http2.connect()`. The session then reports the
 * stream's own `encrypted`, `alpnProtocol`, addresses, authorisation and certificates.
 *
 * The stream belongs to the returned socket from then on; destroying either destroys both. It may be a socket of
 * `connect()` that is still connecting: a session then waits for the returned one's 'connect', which says that the
 * handshake is done. Once it is done, the faster of two ways is open to http2.
 *
 * @param stream - a TLS stream on which nobody reads yet
 */
export function http2Socket(stream: TlsStream): Http2Socket {
  if (isConnecting(stream)) return wrapStream(stream);
  const fd = stream._openPlaintextSocket();
  return fd === undefined ? wrapStream(stream) : new PumpedSocket(stream, fd);
}
