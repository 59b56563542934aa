/**
 * node:http2 over a `TlsStream`, with its truth kept.
 *
 * An `Http2Session` runs on a native stream handle. A stream over a descriptor gets it one: the plaintext goes through
 * a socket pair, see `pumped-socket.ts`. Any other is wrapped as Node itself would wrap it, see `js-stream-socket.ts`.
 */
import type { TlsStream } from '../stream/tls-stream';
import type { Http2Socket } from './forwarding';
import { wrapStream } from './js-stream-socket';
import { PumpedSocket } from './pumped-socket';

/**
 * A socket for node:http2 to run a session on over a TLS stream: hand the result to `server.emit('connection', socket)`
 * of an `http2.createServer()`, or return it from `createConnection` of `http2.connect()`. The session then reports the
 * stream's own `encrypted`, `alpnProtocol`, addresses, authorisation and certificates.
 *
 * Call it once the handshake is done: a session reads its socket's protocol when it is made. The stream belongs to the
 * returned socket from then on; destroying either destroys both.
 *
 * @param stream - a connected TLS stream on which nobody reads yet
 * @throws an Error with `code` `EMFILE` or `ENFILE` if there is no descriptor left
 */
export function http2Socket(stream: TlsStream): Http2Socket {
  const fd = stream._openPlaintextSocket();
  return fd === undefined ? wrapStream(stream) : new PumpedSocket(stream, fd);
}
