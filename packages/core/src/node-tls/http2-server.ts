import http2 from 'node:http2';
import { endBetweenReads } from '../http/between-reads';
import { http2Socket } from '../http2/http2-socket';
import type { Server } from './server';
import type { TLSSocket } from './tls-socket';

/** node:http2's class of servers, which it does not export. */
export function http2ServerClass(): { prototype: object } {
  return http2.createSecureServer({}).constructor;
}

const guarded = new WeakSet<Server>();

/** Gives sessions of node:http2 the sockets that they can run on, and has them end when that is safe. */
export function adaptSockets(serverClass: { prototype: object }): void {
  const prototype = serverClass.prototype as Pick<Server, '_adaptSocket'>;
  prototype._adaptSocket = function (this: Server, socket: TLSSocket) {
    if (socket.alpnProtocol !== 'h2') return socket;
    if (!guarded.has(this)) {
      guarded.add(this);
      this.prependListener('session', endBetweenReads);
    }
    return http2Socket(socket);
  };
}
