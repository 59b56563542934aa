import type * as http from 'node:http';
import type { TlsStream } from '@node-aws-lc/core';

type ConnectionListener = (this: http.Server, stream: TlsStream) => void;

/** What node:http hangs on a socket while a response is being produced on it. */
interface Busy {
  _httpMessage?: http.ServerResponse | null;
}

/**
 * HTTP/1.1 over TLS streams, by the listeners that served the plaintext server.
 *
 * They run on the server that listens, not on one of our own: an http.Server enforces
 * `headersTimeout` and `requestTimeout` only from its own 'listening' event on.
 */
export class Http1 {
  readonly #server: http.Server;
  readonly #listeners: readonly ConnectionListener[];
  readonly #streams = new Set<TlsStream>();
  /** Those on which nothing has been asked for yet. */
  readonly #fresh = new Set<TlsStream>();

  /** Takes the server's 'connection' listeners away from the network. */
  constructor(server: http.Server) {
    this.#server = server;
    this.#listeners = server.rawListeners('connection') as ConnectionListener[];
    server.removeAllListeners('connection');
  }

  /** Serves one connection. */
  take(stream: TlsStream): void {
    this.#streams.add(stream);
    this.#fresh.add(stream);
    stream.once('data', () => this.#fresh.delete(stream));
    stream.once('close', () => {
      this.#streams.delete(stream);
      this.#fresh.delete(stream);
    });
    for (const listener of this.#listeners) listener.call(this.#server, stream);
  }

  /**
   * Lets go of the connections that would keep a closing server open although nothing is going on.
   * Idle keep-alive connections are node:http's own to close; two kinds it leaves: one that never
   * sent a byte (it counts as a request in its headers), and one whose response is on its way with
   * the promise of keep-alive.
   */
  drain(): void {
    for (const stream of this.#fresh) stream.destroy();
    for (const stream of this.#streams) {
      const response = (stream as Busy)._httpMessage;
      if (!response) continue;
      if (response.headersSent) {
        response.once('finish', () => stream.destroySoon());
      } else {
        response.setHeader('Connection', 'close');
      }
    }
  }
}
