import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { TlsStream } from '../stream/tls-stream';

/** How often in the time allowed a connection is looked at. */
const LOOKS = 4;
/** Bytes that say that something moves; answers to PING that are still under way are fewer. */
const PROGRESS = 64;

/**
 * Calls `stalled` when the client of an h2 session has taken nothing for `timeout` ms, although there is something for
 * it. The socket's own time-out does not see that if the client goes on saying something, PING for one, and is answered:
 * be it that it opens no window for what it asked for, or that it does not read its socket at all.
 *
 * What HTTP/2 answers by itself, PING and SETTINGS, is no shorter than the answer. So a session that gets on with a
 * response, however slowly, says more than it hears; one that does not has moved nothing. Another request is progress,
 * too, and so is a body that comes, of which much is heard and little said: who asks or sends has limits of its own.
 *
 * @param open - the session's streams
 */
export function limitStall(
  session: ServerHttp2Session,
  stream: TlsStream,
  open: ReadonlySet<ServerHttp2Stream>,
  timeout: number,
  stalled: () => void,
): void {
  let surplus = 0;
  let newest: number | undefined;
  let looks = 0;
  const hasMoved = (): boolean => {
    const { lastProcStreamID } = session.state;
    const change = stream.bytesWritten - stream.bytesRead - surplus;
    const moved =
      lastProcStreamID !== newest ||
      change > PROGRESS ||
      (change < -PROGRESS && [...open].some(isSending));
    newest = lastProcStreamID;
    // What is too little from one look to the next adds up.
    if (moved || change < 0) surplus += change;
    return moved;
  };
  const look = (): void => {
    looks = hasMoved() || ![...open].some(isWaiting) ? 0 : looks + 1;
    if (looks < LOOKS) return;
    looks = 0;
    stalled();
  };
  const timer = setInterval(look, timeout / LOOKS).unref();
  stream.once('close', () => clearInterval(timer));
}

/** Something has been written that could not be sent. */
function isWaiting({ bufferSize }: ServerHttp2Stream): boolean {
  return bufferSize > 0;
}

/** Its request has not ended. */
function isSending({ state }: ServerHttp2Stream): boolean {
  return state.remoteClose === 0;
}
