import http2 from 'node:http2';
import { http2Socket } from '../http2/http2-socket';
import type { Server } from './server';
import type { TLSSocket } from './tls-socket';

/** node:http2's class of servers, which it does not export. */
export function http2ServerClass(): { prototype: object } {
  return http2.createSecureServer({}).constructor;
}

/** Gives sessions of node:http2 the sockets that they can run on. */
export function adaptSockets(serverClass: { prototype: object }): void {
  const prototype = serverClass.prototype as Pick<Server, '_adaptSocket'>;
  prototype._adaptSocket = (socket: TLSSocket) =>
    socket.alpnProtocol === 'h2' ? http2Socket(socket) : socket;
}
