import { setMaxListeners } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { TlsAcceptor } from '../acceptor';
import { TlsError } from '../errors';
import type { TlsStream } from '../stream/tls-stream';
import { Admission } from './admission';
import { Contexts, type NamedContextOptions } from './contexts';
import { Http1 } from './http1';
import { Http2, streamOfHttp2Request } from './http2';
import { likeHttp1 } from './like-http1';
import { hostsOf, refuseMisdirected } from './misdirected';
import { decide, renew, type DecidedOptions, type HttpsOptions } from './options';
import { checkRedirect, opened, redirectServer } from './redirect';
import { Statistics, type TlsStats } from './statistics';

/** What the front is told about the server that it is put before. */
export interface HttpsFrontSettings {
  /** Idle time after which an h2 session is closed, in ms. Default 0: never. */
  http2SessionTimeout?: number | undefined;
  /** Called for every handshake that fails, and for every session of h2. */
  onFailure?: ((failure: ConnectionFailure) => void) | undefined;
  /**
   * Whether requests over h2 are to pass for those of node:http where these are told apart by their
   * prototypes, as Express does; it costs some microseconds a request. Default false.
   */
  likeHttp1?: boolean | undefined;
}

/** A connection that came to nothing. */
export interface ConnectionFailure {
  /** What the connection was about. */
  readonly phase: 'handshake' | 'h2';
  readonly error: Error;
  /** The error's code, or its name. */
  readonly code: string;
  readonly remoteAddress: string | undefined;
}

const fronted = new WeakSet<http.Server>();

/** Whether a front does TLS on this server. */
export function hasHttpsFront(server: http.Server): boolean {
  return fronted.has(server);
}

/**
 * Puts TLS in front of an http.Server that does not listen yet: what `createSecureServer()` and the
 * Fastify plugin are made of, for whoever has a server already.
 *
 * What it listens on stays its own; every socket that it accepts goes through a TLS handshake first,
 * and what it was going to do with the socket it does with the TLS stream; h2 goes to a server of
 * node:http2 that never listens, and its requests come back as this server's own. Until the
 * handshake is done nothing that speaks HTTP gets hold of the socket, error paths included, so no
 * plaintext can be written to it: the default 'clientError' handler would.
 *
 * The server emits 'secureConnection' (stream) and 'tlsClientError' (error, socket), as an
 * `https.Server` does, and 'session' (session) and 'sessionError' (error, session), as an
 * `http2.Http2SecureServer` does.
 */
export class HttpsFront {
  readonly #server: http.Server;
  readonly #onFailure: (failure: ConnectionFailure) => void;
  readonly #statistics = new Statistics();
  readonly #admission: Admission;
  readonly #http1: Http1;
  readonly #http2: Http2;
  /** Listeners beside the server's own. */
  readonly #listeners = new Set<net.Server>();
  readonly #redirects = new Set<http.Server>();
  #contexts: Contexts;
  #refusesMisdirected = false;
  readonly #acceptor: TlsAcceptor;
  #closing = false;
  #closings = 0;
  /** Aborted when no handshake is waited for any longer. */
  #open = newController();

  /**
   * @throws ConfigError `ERR_AWS_LC_CONFIG_…`: those of `ServerConfig`, and for the options of HTTP
   */
  constructor(server: http.Server, options: HttpsOptions, settings: HttpsFrontSettings = {}) {
    const { http2SessionTimeout = 0, onFailure = () => {} } = settings;
    checkRedirect(options.redirectHttp);
    this.#contexts = new Contexts(decide(options));
    this.#acceptor = new TlsAcceptor(this.#contexts.config());
    this.#admission = new Admission(options.handshakeLimits);
    this.#server = server;
    this.#onFailure = onFailure;
    this.#http1 = new Http1(server);
    this.#http2 = new Http2(server, {
      sessionTimeout: http2SessionTimeout,
      onSessionError: (error, stream) => this.#report('h2', error, stream?.remoteAddress),
      options: options.http2,
      prepare: settings.likeHttp1 ? likeHttp1 : undefined,
    });
    server.on('connection', this.#onConnection);
    this.#takeOverListen();
    this.#takeOverClose();
    fronted.add(server);
  }

  /** How often the server has been told to close: who waits for something can see that it came. */
  get closings(): number {
    return this.#closings;
  }

  /** Where the server listens beside its own address. */
  addresses(): net.AddressInfo[] {
    return [...this.#listeners].flatMap(
      (listener) => (listener.address() as net.AddressInfo | null) ?? [],
    );
  }

  /** Where the listeners of `redirectHttp` listen. */
  redirectAddresses(): net.AddressInfo[] {
    return [...this.#redirects].flatMap(
      (listener) => (listener.address() as net.AddressInfo | null) ?? [],
    );
  }

  /** The figures of this moment. */
  stats(): TlsStats {
    return this.#statistics.snapshot(this.#admission.pending);
  }

  /**
   * Changes certificate and key, or any other option of TLS, for the connections that come from now
   * on; open ones go on as they are. What is not given stays as it was, except that key, certificate
   * and passphrase are replaced together, and so are `ca` and `caFile`.
   *
   * @throws the errors of `ServerConfig`; then nothing has changed
   */
  setSecureContext(options: Partial<HttpsOptions>): void {
    const contexts = new Contexts(renew(this.#options, options), this.#contexts);
    this.#use(contexts);
    this.#contexts = contexts;
  }

  /**
   * Serves clients that ask for this name (SNI, RFC 6066) with other certificates, keys and client
   * authentication, from now on. Where a name demands a client certificate, a request for it that
   * comes on a connection made for another name is answered with 421.
   *
   * @param name - a host name, in which `*` stands for any characters of one label; what was added
   *   last is looked at first
   * @throws ConfigError `ERR_AWS_LC_CONFIG_…`; then nothing has changed
   */
  addContext(name: string, options: NamedContextOptions): void {
    this.#contexts.add(name, options);
    this.#use(this.#contexts);
    if (this.#refusesMisdirected) return;
    this.#refusesMisdirected = true;
    refuseMisdirected(this.#server, (request) => {
      const stream = streamOfHttp2Request(request) ?? (request.socket as Partial<TlsStream>);
      return hostsOf(request).some((host) =>
        this.#contexts.isMisdirected(stream.servername ?? false, host),
      );
    });
  }

  /** The ticket keys stay, so that sessions outlive the certificate. */
  #use(contexts: Contexts): void {
    this.#acceptor.setSecureContext(contexts.config(this.#acceptor.config.ticketKeys));
  }

  get #options(): DecidedOptions {
    return this.#contexts.own;
  }

  /**
   * Listens on a further address; what comes there is served as what comes on the server's own. It
   * is closed with the server.
   */
  async listenToo(options: net.ListenOptions): Promise<net.AddressInfo> {
    const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, this.#onConnection);
    listener.on('close', () => this.#listeners.delete(listener));
    this.#listeners.add(listener);
    let redirect: http.Server | undefined;
    if (this.#options.redirectHttp) redirect = await this.#openRedirect(options.host);
    try {
      await opened(listener, options);
    } catch (error) {
      this.#listeners.delete(listener);
      redirect?.close();
      throw error;
    }
    return listener.address() as net.AddressInfo;
  }

  readonly #onConnection = (socket: net.Socket): void => {
    const { signal } = this.#open;
    // Read now: a destroyed socket no longer knows.
    const { remoteAddress } = socket;
    const admitted = this.#admission.begin(socket);
    if (!admitted) {
      socket.resetAndDestroy();
      this.#fail(limitReached('too many connections from this address'), socket, remoteAddress);
      return;
    }
    const { evicted } = admitted;
    if (evicted) this.#evicted.add(evicted.destroy());

    this.#acceptor.accept(socket, { signal }).then(
      (stream) => {
        this.#admission.end(socket);
        if (signal.aborted) stream.destroy();
        else this.#serve(stream);
      },
      (error: Error) => {
        this.#admission.end(socket);
        if (signal.aborted) return;
        const reason = this.#evicted.has(socket)
          ? limitReached('it was the oldest of too many handshakes under way')
          : error;
        this.#fail(reason, socket, remoteAddress);
      },
    );
  };

  readonly #evicted = new WeakSet<net.Socket>();

  #serve(stream: TlsStream): void {
    if (stream.destroyed) return;
    const { alpn } = stream.negotiated;
    // A client without ALPN means HTTP/1.1, always: RFC 9113, section 3.2.
    if (alpn !== 'h2' && !this.#options.alpnProtocols.includes('http/1.1')) {
      const { remoteAddress } = stream;
      stream.destroy();
      const message = 'the client did not negotiate h2, the only protocol that this server speaks';
      const error = new TlsError('ERR_AWS_LC_ALPN_REQUIRED', message, { side: 'server' });
      this.#fail(error, stream, remoteAddress);
      return;
    }
    this.#statistics.connected(stream);
    (alpn === 'h2' ? this.#http2 : this.#http1).take(stream);
    this.#server.emit('secureConnection', stream);
  }

  #fail(error: Error, socket: net.Socket, remoteAddress: string | undefined): void {
    this.#statistics.failed((error as NodeJS.ErrnoException).code ?? error.name);
    this.#report('handshake', error, remoteAddress);
    this.#server.emit('tlsClientError', error, socket);
  }

  #report(phase: ConnectionFailure['phase'], error: Error, remoteAddress?: string): void {
    const { code = error.name } = error as NodeJS.ErrnoException;
    this.#onFailure({ phase, error, code, remoteAddress });
  }

  // --- listening -------------------------------------------------------------------------------

  /** The redirects come first: a server that cannot have their port does not listen at all. */
  #takeOverListen(): void {
    const server = this.#server;
    const listen = server.listen.bind(server) as (...args: unknown[]) => http.Server;
    server.listen = ((...args: unknown[]): http.Server => {
      this.#reopen();
      if (this.#options.redirectHttp === undefined) return listen(...args);
      void this.#openRedirect(hostOf(args)).then(
        (redirect) => {
          server.once('error', () => redirect?.close());
          try {
            listen(...args);
          } catch (error) {
            // What listen() refuses by throwing, a bad port say, would be thrown at nobody from here.
            server.emit('error', error);
          }
        },
        (error) => server.emit('error', error),
      );
      return server;
    }) as http.Server['listen'];
  }

  #reopen(): void {
    if (this.#open.signal.aborted) this.#open = newController();
    if (!this.#closing) return;
    this.#closing = false;
    this.#http1.drained();
    this.#http2.drained();
  }

  async #openRedirect(host: string | undefined): Promise<http.Server | undefined> {
    const { redirectHttp } = this.#options;
    if (redirectHttp === undefined) return undefined;
    const redirect = redirectServer(redirectHttp, {
      isServed: (hostname) => this.#contexts.isNamed(hostname),
      port: () => (this.#server.address() as Partial<net.AddressInfo> | null)?.port,
    });
    redirect.on('close', () => this.#redirects.delete(redirect));
    this.#redirects.add(redirect);
    try {
      await opened(redirect, { port: redirectHttp.port, host: redirectHttp.host ?? host });
    } catch (error) {
      this.#redirects.delete(redirect);
      throw error;
    }
    if (this.#closing) redirect.close();
    return redirect;
  }

  // --- closing ---------------------------------------------------------------------------------

  /**
   * Closing the server closes all of it: its callback, and so Fastify's `close()`, waits for the
   * further listeners too.
   */
  #takeOverClose(): void {
    const server = this.#server;
    const close = server.close.bind(server);
    server.close = (callback) => {
      this.#closings++;
      const others = this.#drain();
      return close((error) => {
        void others.then(() => {
          this.#settle();
          callback?.(error);
        });
      });
    };

    server.closeIdleConnections = () => {
      // node:http's own close() calls this, and would end what drains.
      if (this.#closing) return;
      this.#http1.closeIdle(this.#options.closeGracePeriod);
      this.#http2.closeIdle(this.#options.closeGracePeriod);
    };
    const closeAllConnections = server.closeAllConnections.bind(server);
    server.closeAllConnections = () => {
      closeAllConnections();
      this.#open.abort();
      // A server that goes on listening goes on serving.
      if (!this.#closing) this.#open = newController();
      this.#http1.destroy();
      this.#http2.destroy();
    };

    for (const method of ['ref', 'unref'] as const) {
      const original = server[method].bind(server);
      server[method] = () => {
        for (const listener of [...this.#listeners, ...this.#redirects]) listener[method]();
        return original();
      };
    }
  }

  /** Resolves when the further listeners are closed and their connections gone. */
  #drain(): Promise<unknown> {
    const { closeGracePeriod } = this.#options;
    if (!this.#closing) {
      this.#closing = true;
      this.#http1.drain(closeGracePeriod);
      this.#http2.drain(closeGracePeriod);
      const { signal } = this.#open;
      // A client in the middle of its handshake has a request to follow.
      if (closeGracePeriod === 0 || this.#admission.pending === 0) this.#open.abort();
      else setTimeout(() => this.#open.signal === signal && this.#open.abort(), closeGracePeriod);
    }
    for (const redirect of this.#redirects) {
      redirect.close();
      redirect.closeAllConnections();
    }
    return Promise.all(
      [...this.#listeners].map((listener) => new Promise((resolve) => listener.close(resolve))),
    );
  }

  /** Nothing is left that would have to be watched. */
  #settle(): void {
    this.#open.abort();
    this.#http1.drained();
    this.#http2.drained();
  }
}

function limitReached(detail: string): TlsError {
  return new TlsError('ERR_AWS_LC_HANDSHAKE_LIMIT', `the connection was refused: ${detail}`, {
    side: 'server',
  });
}

/** The host among the arguments of `server.listen()`. */
function hostOf([first, second]: unknown[]): string | undefined {
  if (typeof first === 'object' && first !== null) return (first as net.ListenOptions).host;
  return typeof second === 'string' ? second : undefined;
}

function newController(): AbortController {
  const controller = new AbortController();
  // Every handshake under way listens; that is no leak.
  setMaxListeners(0, controller.signal);
  return controller;
}
