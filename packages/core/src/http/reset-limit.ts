import * as http2 from 'node:http2';

/** The limits of `http2.createServer()` that newer versions of Node have; nghttp2's defaults. */
export interface ResetLimits {
  /** Streams that a client may reset at once. Default 1000. */
  streamResetBurst?: number | undefined;
  /** Streams that it may reset a second, in the long run. Default 33. */
  streamResetRate?: number | undefined;
}

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = http2.constants;
/** How streams end that have been answered, or that the application gave up. */
const OURS = new Set<number | undefined>([undefined, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR]);

/**
 * Ends a session whose client opens streams only to reset them (CVE-2023-44487). nghttp2 limits this
 * too, but all it does is to say GOAWAY: the connection stays, and what comes on it is still read.
 */
export function limitResets(session: http2.ServerHttp2Session, limits: ResetLimits): void {
  const { streamResetBurst = 1000, streamResetRate: rate = 33 } = limits;
  // A little sooner than nghttp2, after which no stream is heard of any more.
  const burst = streamResetBurst * 0.95;
  let tokens = burst;
  let at = performance.now();
  session.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.once('close', () => {
      if (OURS.has(stream.rstCode)) return;
      const now = performance.now();
      tokens = Math.min(burst, tokens + ((now - at) / 1000) * rate) - 1;
      at = now;
      if (tokens < 1 && !session.destroyed) {
        session.destroy(undefined, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      }
    });
  });
}
