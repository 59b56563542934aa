// undici listens to the 'data' of a request's h2 stream from the moment it sends a body, and takes
// it for the response's only from 'response' on. Over a socket with a native handle that is in time:
// node:http2 runs the tick queue, in which 'response' is emitted, between any two frames. Over a
// stream made of JavaScript it parses all that one read brought before that, and the first part of
// a response that came together with its headers is lost without a sign. So the tick queue gets its
// turn here.
import { http2Socket, type TlsStream } from '@node-aws-lc/core';
import type { Socket } from 'node:net';
import { HeaderBlocks } from './header-blocks';

/** What Node's JSStreamSocket calls on its handle when its stream has something to read. */
interface StreamHandle {
  readBuffer(chunk: Buffer): void;
  emitEOF(): void;
}

/**
 * The socket on which undici can speak HTTP/2 over `stream`: a session on it sees every response's
 * headers before their body, and keeps the process alive only while undici wants it to.
 */
export function socketForHttp2(stream: TlsStream): Socket {
  const socket = http2Socket(stream);
  // The peer's end is passed on behind what it sent, and undici ends the rest.
  stream.allowHalfOpen = true;
  // At once, or undici sends the next request on a connection that has failed already.
  stream.once('close', () => socket.destroy());
  const internals = socket as unknown as { _handle: StreamHandle | null };
  const handle = internals._handle!;
  if (!('readBuffer' in handle)) return socket;
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
        process.nextTick(deliver);
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
  return socket;
}
