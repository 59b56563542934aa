import type * as http from 'node:http';
import * as http2 from 'node:http2';
import { http2Socket, type TlsStream } from '@node-aws-lc/core';

/** How long a drained connection may wait for its peer to hang up, in ms. */
const LINGER = 2000;

const kStream = Symbol('node-aws-lc.stream');

/** A request that came over h2 remembers its stream: its session may be gone when it is asked. */
interface Marked {
  [kStream]?: TlsStream;
}

/** The TLS stream that carried an h2 request; `undefined` for a request of any other origin. */
export function streamOfHttp2Request(request: object): TlsStream | undefined {
  return (request as Marked)[kStream];
}

/** What the sessions of a server are told. */
export interface Http2Settings {
  /** Idle time after which a session is closed, in ms. Fastify's `http2SessionTimeout`. */
  readonly sessionTimeout: number;
  /** Called when a session fails: a protocol error, a reset connection. */
  readonly onSessionError: (error: Error) => void;
}

/** HTTP/2 over TLS streams, by an http2.Server that never listens. */
export class Http2 {
  readonly #server: http.Server;
  readonly #silent: http2.Http2Server;
  readonly #sessions = new Map<http2.ServerHttp2Session, TlsStream>();

  /** Requests go to the 'request' listeners of `server`, as those of HTTP/1.1 do. */
  constructor(server: http.Server, { sessionTimeout, onSessionError }: Http2Settings) {
    this.#server = server;
    this.#silent = http2.createServer();
    this.#silent.on('session', (session) => {
      session.setTimeout(sessionTimeout, () => session.close());
    });
    this.#silent.on('sessionError', onSessionError);
    this.#silent.on('request', (request, response) => {
      const session = request.stream.session as http2.ServerHttp2Session;
      (request as Marked)[kStream] = this.#sessions.get(session);
      server.emit('request', request, response);
    });
  }

  /** Serves one connection. */
  take(stream: TlsStream): void {
    const server = this.#server;
    if (server.timeout > 0) {
      // As node:http does for HTTP/1.1: who listens for 'timeout' decides what becomes of it.
      stream.setTimeout(server.timeout, () => {
        if (!server.emit('timeout', stream)) stream.destroy();
      });
    }

    this.#silent.once('session', (session: http2.ServerHttp2Session) => {
      this.#sessions.set(session, stream);
      stream.once('close', () => this.#sessions.delete(session));
    });
    this.#silent.emit('connection', http2Socket(stream));
  }

  /**
   * Sends GOAWAY on every session (RFC 9113, section 6.8): streams in flight finish, new ones are
   * refused, then the connection ends. A peer that does not hang up is not waited for.
   */
  drain(): void {
    for (const [session, stream] of this.#sessions) {
      stream.once('finish', () => {
        const timer = setTimeout(() => stream.destroy(), LINGER).unref();
        stream.once('close', () => clearTimeout(timer));
      });
      session.close();
    }
  }
}
