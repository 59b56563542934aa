import type * as http from 'node:http';
import type { TlsStream } from '../stream/tls-stream';

type ConnectionListener = (this: http.Server, stream: TlsStream) => void;

/** What node:http hangs on a socket that it serves. */
interface Served {
  /** The response that is being produced. */
  _httpMessage?: http.ServerResponse | null;
  /** Null once the socket was handed over: 'upgrade', 'connect'. */
  parser?: object | null;
}

/** How often a draining server looks for idle connections at most, in ms. */
const MIN_SWEEP = 20;
/** How long a request may take to come in whole while the server drains, if the server sets no limit, in ms. */
const HEADERS_TIMEOUT = 60_000;

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
  #draining: NodeJS.Timeout | undefined;

  /** Takes the server's 'connection' listeners away from the network. */
  constructor(server: http.Server) {
    this.#server = server;
    this.#listeners = server.rawListeners('connection') as ConnectionListener[];
    server.removeAllListeners('connection');
    server.prependListener('request', ({ httpVersionMajor }, response) => {
      if (this.#draining !== undefined && httpVersionMajor === 1) sayClose(response);
    });
  }

  /** Serves one connection. */
  take(stream: TlsStream): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    for (const listener of this.#listeners) listener.call(this.#server, stream);
  }

  /**
   * Lets every connection go, without failing a request that is under way. A client that has been
   * told to keep a connection alive may be sending on it right now: so each response says
   * `Connection: close` from now on, and a connection is closed when nothing was heard on it for
   * `grace` ms. node:http would close the idle ones at once, and others after `keepAliveTimeout`.
   *
   * A process that had to wait for its turn looks only when it has read what came meanwhile: hence each `setImmediate`.
   */
  drain(grace: number): void {
    if (this.#draining !== undefined) return;
    for (const stream of this.#streams) {
      const response = (stream as Served)._httpMessage;
      if (response) sayClose(response);
    }
    const heard = this.#heard();
    const limit = Date.now() + (this.#server.headersTimeout || HEADERS_TIMEOUT);
    const sweep = (): void => {
      for (const stream of this.#streams) {
        if (isBusy(stream)) continue;
        const { bytesRead } = stream;
        if (heard.get(stream) === bytesRead || Date.now() > limit) close(stream);
        else heard.set(stream, bytesRead);
      }
    };
    if (grace === 0) sweep();
    this.#draining = setInterval(() => setImmediate(sweep), Math.max(grace, MIN_SWEEP));
  }

  /** To be called when the server has closed, and when it listens again. */
  drained(): void {
    clearInterval(this.#draining);
    this.#draining = undefined;
  }

  /** Closes the connections on which nothing goes on now, nor within `grace` ms. */
  closeIdle(grace: number): void {
    const heard = this.#heard();
    const sweep = (): void => {
      for (const [stream, bytes] of heard) {
        if (!isBusy(stream) && stream.bytesRead === bytes) close(stream);
      }
    };
    if (grace === 0) sweep();
    else setTimeout(() => setImmediate(sweep), grace);
  }

  /** Ends every connection, whatever goes on on it. */
  destroy(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #heard(): Map<TlsStream, number> {
    return new Map([...this.#streams].map((stream) => [stream, stream.bytesRead]));
  }
}

/** A response is on its way, or the stream belongs to somebody else by now (a WebSocket, a tunnel). */
function isBusy(stream: TlsStream): boolean {
  const { _httpMessage: response, parser } = stream as Served;
  return Boolean(response) || !parser;
}

function close(stream: TlsStream): void {
  if (stream.writableEnded) stream.destroy();
  else stream.destroySoon();
}

function sayClose(response: http.ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
