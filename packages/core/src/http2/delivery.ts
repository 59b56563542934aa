/**
 * Over a socket with a native handle, node:http2 runs the tick queue, in which 'response' is emitted, and what awaits it,
 * between any two frames. Over a stream made of JavaScript it parses all that one read brought before that: a response
 * that came together with its headers has ended before its user can listen to it, and is lost. So the queues get their
 * turn here.
 */
import { HeaderBlocks } from './header-blocks';
import type { Http2Socket } from './forwarding';

/** What Node's JSStreamSocket calls on its handle when its stream has something to read. */
interface StreamHandle {
  readBuffer(chunk: Buffer): void;
  emitEOF(): void;
}

/**
 * Has whoever waits for a header block learn of it before the session reads on.
 *
 * @param socket - a JSStreamSocket
 */
export function deliverByHeaderBlocks(socket: Http2Socket): void {
  const internals = socket as unknown as { _handle: StreamHandle | null };
  const handle = internals._handle!;
  const readBuffer = handle.readBuffer.bind(handle);
  const emitEOF = handle.emitEOF.bind(handle);
  const blocks = new HeaderBlocks();
  const waiting: Buffer[] = [];
  let delivering = false;
  let ended = false;

  const deliver = (): void => {
    delivering = true;
    while (internals._handle !== null && waiting.length > 0) {
      const chunk = waiting.shift()!;
      const { end, complete } = blocks.next(chunk);
      if (end < chunk.length) {
        waiting.unshift(chunk.subarray(end));
      }
      readBuffer(end < chunk.length ? chunk.subarray(0, end) : chunk);
      if (complete) {
        afterQueues(deliver);
        return;
      }
    }
    delivering = false;
    if (ended && internals._handle !== null) {
      emitEOF();
    }
  };
  const deliverSoon = (): void => {
    if (!delivering) {
      deliver();
    }
  };

  handle.readBuffer = (chunk) => {
    waiting.push(chunk);
    deliverSoon();
  };
  handle.emitEOF = () => {
    ended = true;
    deliverSoon();
  };
}

/** Calls back once the ticks that are queued, and all the microtasks that they bring about, have run. */
function afterQueues(callback: () => void): void {
  process.nextTick(() => queueMicrotask(() => process.nextTick(callback)));
}
