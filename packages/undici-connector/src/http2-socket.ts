import { http2Socket, type TlsStream } from '@node-aws-lc/core';
import type { Socket } from 'node:net';

/** The socket on which undici can speak HTTP/2 over `stream`: it closes when undici would close it. */
export function socketForHttp2(stream: TlsStream): Socket {
  const socket = http2Socket(stream);
  // The peer's end is passed on behind what it sent, and undici ends the rest.
  stream.allowHalfOpen = true;
  // At once, or undici sends the next request on a connection that has failed already.
  stream.once('close', () => socket.destroy());
  return socket;
}
