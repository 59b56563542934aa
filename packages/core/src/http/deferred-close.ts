import type { ServerHttp2Session } from 'node:http2';

/**
 * Has `session.close()` wait until what is being read has been read.
 *
 * node:http2 calls it in the middle of reading, for one when a client says GOAWAY. Up to Node 26 it
 * then refuses a stream whose HEADERS came in the same read by a RST_STREAM sent at once, which frees
 * the stream that nghttp2 is still at work on: a client could corrupt the heap of any server. Closed
 * a moment later, the session takes that stream, and nghttp2 itself ignores those that come after.
 */
export function deferClose(session: ServerHttp2Session): void {
  const close = session.close.bind(session);
  session.close = (callback) => {
    setImmediate(close, callback);
  };
}
