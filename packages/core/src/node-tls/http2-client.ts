import http2 from 'node:http2';
import type net from 'node:net';
import tls from 'node:tls';
import { wrapStream } from '../http2/js-stream-socket';
import { connect as connectTls } from './connect';
import type { TLSSocket } from './tls-socket';

type Connect = (...args: unknown[]) => unknown;

/**
 * Has `http2.connect` connect with us. A session wants its socket at once, and a native handle in it, so it gets the
 * wrapper that it would make itself, one that says when the handshake is complete. `http2.connect` calls `tls.connect`,
 * in the same turn, once it has made sense of its arguments.
 */
export function connectHttp2(): void {
  const inherited = http2.connect as Connect;
  let forSession = false;
  const connect: Connect = (...args) => {
    forSession = true;
    try {
      return inherited(...args);
    } finally {
      forSession = false;
    }
  };
  Object.assign(http2, { connect });
  Object.assign(tls, {
    connect: (...args: Parameters<typeof connectTls>) => {
      const wrapped = forSession;
      forSession = false;
      const socket = connectTls(...args);
      return wrapped ? wrapConnecting(socket) : socket;
    },
  });
}

function wrapConnecting(socket: TLSSocket): net.Socket {
  const wrapper = wrapStream(socket);
  Object.defineProperty(wrapper, 'connecting', { get: () => socket.secureConnecting, set() {} });
  socket.once('secureConnect', () => wrapper.emit('connect'));
  return wrapper;
}
