import type * as http from 'node:http';
import * as http2 from 'node:http2';
import type { Http2Socket } from '../http2/forwarding';
import { http2Socket } from '../http2/http2-socket';
import { endBetweenReads } from './between-reads';
import { limitResets, type ResetLimits } from './reset-limit';
import { limitStall } from './stall-limit';
import type { TlsStream } from '../stream/tls-stream';

/** How long a connection on which everything has been said may wait for its peer to hang up, in ms. */
const LINGER = 2000;

/**
 * The frame that announces a shutdown (RFC 9113, section 6.8): GOAWAY, NO_ERROR, with the highest
 * stream identifier there is, so that requests on their way are still taken. Node has no call for
 * it: its `goaway()` refuses new streams from then on, whatever identifier it is given.
 */
const SHUTDOWN_NOTICE = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 127, 255, 255, 255, 0, 0, 0, 0]);

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
  /** Idle time after which a session is closed, in ms. 0: never. */
  readonly sessionTimeout: number;
  /** Called when a session fails: a protocol error, a reset connection. */
  readonly onSessionError: (error: Error, stream: TlsStream | undefined) => void;
  /** For `http2.createServer()`. */
  readonly options: (http2.ServerOptions & ResetLimits) | undefined;
  /** Called with each request before the server sees it. */
  readonly prepare: ((...exchange: Exchange) => void) | undefined;
}

/** A request and its response. */
export type Exchange = [
  request: http2.Http2ServerRequest,
  response: http2.Http2ServerResponse<http2.Http2ServerRequest>,
];

interface Connection {
  readonly stream: TlsStream;
  readonly socket: Http2Socket;
  /** HTTP/2 streams that are open. */
  readonly open: Set<http2.ServerHttp2Stream>;
}

/** HTTP/2 over TLS streams, by an http2.Server that never listens. */
export class Http2 {
  readonly #server: http.Server;
  readonly #silent: http2.Http2Server;
  readonly #sessionTimeout: number;
  readonly #resetLimits: ResetLimits;
  readonly #prepare: Http2Settings['prepare'];
  readonly #sessions = new Map<http2.ServerHttp2Session, Connection>();
  #draining: { grace: number } | undefined;

  /** Requests go to the listeners of `server`, as those of HTTP/1.1 do. */
  constructor(server: http.Server, settings: Http2Settings) {
    const { sessionTimeout, onSessionError, options, prepare } = settings;
    this.#server = server;
    this.#prepare = prepare;
    this.#sessionTimeout = sessionTimeout;
    this.#resetLimits = options ?? {};
    this.#silent = http2.createServer(options ?? {});
    this.#silent.on('session', (session: http2.ServerHttp2Session) => {
      endBetweenReads(session);
      server.emit('session', session);
    });
    this.#silent.on('sessionError', (error: Error, session: http2.ServerHttp2Session) => {
      onSessionError(error, this.#sessions.get(session)?.stream);
      server.emit('sessionError', error, session);
    });
    this.#silent.on('request', (...exchange) => this.#pass('request', ...exchange));
    // Where the server has no listener for these, what node:http2 does without one.
    this.#silent.on('checkContinue', (request, response) => {
      const asked = server.listenerCount('checkContinue') > 0;
      if (!asked && !isGone(request.stream)) response.writeContinue();
      this.#pass(asked ? 'checkContinue' : 'request', request, response);
    });
    this.#silent.on('checkExpectation', (...[request, response]: Exchange) => {
      if (server.listenerCount('checkExpectation') > 0) {
        this.#pass('checkExpectation', request, response);
      } else {
        response.writeHead(http2.constants.HTTP_STATUS_EXPECTATION_FAILED).end();
      }
    });
  }

  #pass(
    name: 'request' | 'checkContinue' | 'checkExpectation',
    ...[request, response]: Exchange
  ): void {
    const session = request.stream.session as http2.ServerHttp2Session;
    (request as Marked)[kStream] = this.#sessions.get(session)?.stream;
    limitRequest(request, this.#server.requestTimeout);
    this.#prepare?.(request, response);
    this.#server.emit(name, request, response);
  }

  /** Serves one connection. */
  take(stream: TlsStream): void {
    const server = this.#server;
    const { timeout } = server;
    // As node:http does for HTTP/1.1: who listens for 'timeout' decides what becomes of it.
    const timedOut = (): void => {
      if (!server.emit('timeout', stream)) stream.destroy();
    };
    if (timeout > 0) stream.setTimeout(timeout, timedOut);

    const socket = http2Socket(stream);
    this.#silent.once('session', (session: http2.ServerHttp2Session) => {
      const connection: Connection = { stream, socket, open: new Set() };
      this.#sessions.set(session, connection);
      stream.once('close', () => this.#sessions.delete(session));
      stream.once('finish', () => hangUpLater(stream));
      session.on('stream', (request: http2.ServerHttp2Stream) => {
        connection.open.add(request);
        request.once('close', () => connection.open.delete(request));
      });
      session.setTimeout(this.#sessionTimeout, () => {
        session.close();
        // It waits for a request that comes byte by byte, of which nobody has heard yet.
        setTimeout(() => connection.open.size === 0 && stream.destroy(), LINGER).unref();
      });
      limitResets(session, this.#resetLimits);
      limitFirstRequest(session, stream, server.headersTimeout);
      if (timeout > 0) limitStall(session, stream, connection.open, timeout, timedOut);
      if (this.#draining) this.#shutDownLater(session, this.#draining.grace);
    });
    this.#silent.emit('connection', socket);
  }

  /**
   * Lets every session go, without failing a request that is under way: a notice, so that the client
   * opens no more streams; when it has had the time to arrive, GOAWAY; streams in flight finish; then
   * the connection ends. A peer that does not hang up is not waited for.
   */
  drain(grace: number): void {
    if (this.#draining) return;
    this.#draining = { grace };
    for (const session of this.#sessions.keys()) this.#shutDown(session, grace);
  }

  /** To be called when the server has closed, and when it listens again. */
  drained(): void {
    this.#draining = undefined;
  }

  /** The same for the sessions that have no stream open. */
  closeIdle(grace: number): void {
    for (const [session, { open }] of this.#sessions) {
      if (open.size === 0) this.#shutDown(session, grace);
    }
  }

  /** Ends every session and every stream on it. */
  destroy(): void {
    for (const { stream } of this.#sessions.values()) stream.destroy();
  }

  /** The client has just come, and its first request is on its way. */
  #shutDownLater(session: http2.ServerHttp2Session, grace: number): void {
    const timer = setTimeout(() => this.#shutDown(session, grace), grace);
    session.once('close', () => clearTimeout(timer));
  }

  #shutDown(session: http2.ServerHttp2Session, grace: number): void {
    const connection = this.#sessions.get(session);
    if (connection === undefined || session.destroyed || session.closed) return;
    const { stream, socket } = connection;
    const goAway = (): void => {
      if (!session.destroyed) session.close();
    };
    // The session's first frame is its SETTINGS; a session that has not said them has no client yet.
    if (grace === 0 || stream.bytesWritten === 0 || !stream.writable) {
      goAway();
      return;
    }
    const timer = setTimeout(goAway, grace);
    session.once('close', () => clearTimeout(timer));
    socket._writeBetween(SHUTDOWN_NOTICE);
    // Answered by a client that has read the notice: what it sent before has arrived by then.
    session.ping(goAway);
  }
}

function hangUpLater(stream: TlsStream): void {
  const timer = setTimeout(() => stream.destroy(), LINGER).unref();
  stream.once('close', () => clearTimeout(timer));
}

/** As `headersTimeout` has it for HTTP/1.1: a client that comes has something to ask. */
function limitFirstRequest(
  session: http2.ServerHttp2Session,
  stream: TlsStream,
  timeout: number,
): void {
  if (timeout <= 0) return;
  const timer = setTimeout(() => stream.destroy(), timeout).unref();
  const stop = (): void => clearTimeout(timer);
  session.once('stream', stop);
  stream.once('close', stop);
}

/**
 * Whether nothing can be said on a stream any more. That may be so before its request is passed on, when the client has
 * reset it at once or the session has ended: no 'close' is heard of it then.
 */
function isGone({ destroyed, closed }: http2.ServerHttp2Stream): boolean {
  return destroyed || closed;
}

/** As `requestTimeout` has it for HTTP/1.1: node:http2 would wait for the rest of a request for ever. */
function limitRequest(request: http2.Http2ServerRequest, timeout: number): void {
  const { stream } = request;
  if (timeout <= 0 || stream.endAfterHeaders) return;
  const timer = setTimeout(() => {
    if (isGone(stream)) return;
    if (!stream.headersSent) stream.respond({ ':status': 408 }, { endStream: true });
    stream.close(http2.constants.NGHTTP2_NO_ERROR);
  }, timeout).unref();
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop);
  stream.once('close', stop);
}
