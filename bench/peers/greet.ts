import type { Duplex } from 'node:stream';

/** Sends one byte, then the end, and waits for the client's end: one unit of a handshake load. */
export function greet(stream: Duplex): void {
  stream.on('error', (error) => console.error(error));
  stream.resume();
  stream.end('!');
}
