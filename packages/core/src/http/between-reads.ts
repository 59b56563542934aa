import type { ServerHttp2Session } from 'node:http2';

/**
 * Has `session.close()` and `session.destroy()` wait until what is being read has been read.
 *
 * node:http2 calls them in the middle of reading, for one when a client says GOAWAY or answers a PING that nobody sent,
 * and so do request handlers. What comes next in the same read then finds a session of which JavaScript wants to hear no
 * more, and nghttp2 one that goes on. Up to Node 26 a closed session refuses a stream by a RST_STREAM sent at once, which
 * frees the stream that nghttp2 is still at work on: a client could corrupt the heap of any server. A destroyed one does
 * not take the stream at all, and DATA for it ends the process on Node 22, a malformed frame on Node 20. Ended a moment
 * later, the session takes these streams, and nghttp2 itself ignores those that come after.
 */
export function endBetweenReads(session: ServerHttp2Session): void {
  const close = session.close.bind(session);
  session.close = (callback) => {
    setImmediate(close, callback);
  };
  const destroy = session.destroy.bind(session);
  session.destroy = (...reason) => {
    setImmediate(destroy, ...reason);
  };
}
