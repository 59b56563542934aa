import { setMaxListeners } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { ServerConfig, TlsAcceptor, type TlsStream } from '@node-aws-lc/core';
import { AwsLcFastifyError } from './errors';
import { Http1 } from './http1';
import { Http2 } from './http2';
import { listenOnAllOfLocalhost, type ListenOptions } from './localhost';
import { renew, withAlpn, type AwsLcTlsOptions, type FrontOptions } from './options';
import { Statistics } from './statistics';

/** The part of a Fastify logger that is used here. */
export interface Log {
  debug(details: object, message: string): void;
  info(message: string): void;
  warn(details: object, message: string): void;
}

/** What the front needs to know of the application behind it. */
export interface FrontSettings {
  /** Idle time after which an h2 session is closed, in ms. */
  readonly http2SessionTimeout: number;
  readonly log: Log;
}

const fronts = new WeakMap<http.Server, TlsFront>();

/** The front of a server; `undefined` if AWS-LC does not do TLS on it. */
export function frontOf(server: http.Server): TlsFront | undefined {
  return fronts.get(server);
}

/**
 * Puts TLS in front of an http.Server that does not listen yet.
 *
 * What it listens on stays its own; every socket that it accepts goes through a TLS handshake first,
 * and what it was going to do with the socket it does with the TLS stream. Until the handshake is
 * done nothing that speaks HTTP gets hold of the socket, error paths included, so no plaintext can
 * be written to it: the default 'clientError' handler would.
 */
export class TlsFront {
  readonly statistics = new Statistics();
  readonly #server: http.Server;
  readonly #log: Log;
  readonly #http1: Http1;
  readonly #http2: Http2;
  readonly #siblings = new Set<net.Server>();
  #options: FrontOptions;
  #acceptor: TlsAcceptor;
  /** Aborted when the server closes, and with it every handshake that is under way. */
  #open = newController();

  /**
   * @throws {AwsLcFastifyError} `ERR_AWS_LC_FASTIFY_ALPN`
   * @throws the errors of `ServerConfig`
   */
  constructor(server: http.Server, options: AwsLcTlsOptions, settings: FrontSettings) {
    this.#options = withAlpn(options);
    this.#acceptor = new TlsAcceptor(new ServerConfig(this.#options));
    this.#server = server;
    this.#log = settings.log;
    this.#http1 = new Http1(server);
    this.#http2 = new Http2(server, {
      sessionTimeout: settings.http2SessionTimeout,
      onSessionError: (err) => this.#log.debug({ err }, 'HTTP/2 session failed'),
    });
    server.on('connection', this.#onConnection);
    this.#takeOverListen();
    this.#takeOverClose();
    fronts.set(server, this);
  }

  /** Where the server listens beside its own address. */
  addresses(): net.AddressInfo[] {
    return [...this.#siblings].flatMap(
      (sibling) => (sibling.address() as net.AddressInfo | null) ?? [],
    );
  }

  /** See `AppTls.setSecureContext()`. */
  setSecureContext(options: Partial<AwsLcTlsOptions>): void {
    const renewed = renew(this.#options, options);
    this.#acceptor = new TlsAcceptor(new ServerConfig(renewed));
    this.#options = renewed;
  }

  readonly #onConnection = (socket: net.Socket): void => {
    const { signal } = this.#open;
    // Read now: a destroyed socket no longer knows.
    const { remoteAddress } = socket;
    this.#acceptor.accept(socket, { signal }).then(
      (stream) => (signal.aborted ? stream.destroy() : this.#serve(stream)),
      (error: NodeJS.ErrnoException) => {
        if (!signal.aborted) this.#onFailure(error, socket, remoteAddress);
      },
    );
  };

  #serve(stream: TlsStream): void {
    if (stream.destroyed) return;
    const { alpn } = stream.negotiated;
    // A client without ALPN means HTTP/1.1, always: RFC 9113, section 3.2.
    if (alpn !== 'h2' && !this.#options.alpnProtocols.includes('http/1.1')) {
      const { remoteAddress } = stream;
      stream.destroy();
      const error = new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_ALPN_REQUIRED');
      this.#onFailure(error, stream, remoteAddress);
      return;
    }
    this.statistics.connected(stream);
    (alpn === 'h2' ? this.#http2 : this.#http1).take(stream);
    this.#server.emit('secureConnection', stream);
  }

  /** A stranger's garbage is no fault of the service: logged for those who look, counted for all. */
  #onFailure(error: NodeJS.ErrnoException, socket: net.Socket, remoteAddress?: string): void {
    const code = error.code ?? error.name;
    this.statistics.failed(code);
    this.#log.debug({ err: error, code, remoteAddress }, 'TLS handshake failed');
    this.#server.emit('tlsClientError', error, socket);
  }

  #takeOverListen(): void {
    listenOnAllOfLocalhost(this.#server, {
      reopen: () => {
        if (this.#open.signal.aborted) this.#open = newController();
        return this.#open.signal;
      },
      open: (address, port, options) => this.#openSibling(address, port, options),
    });
  }

  #openSibling(host: string, port: number, options: ListenOptions): void {
    const { listenTextResolver: textOf = (address) => `Server listening at ${address}` } = options;
    const { backlog, exclusive } = options;
    const sibling = net.createServer({ allowHalfOpen: true, noDelay: true }, this.#onConnection);
    this.#siblings.add(sibling);
    sibling.on('close', () => this.#siblings.delete(sibling));
    sibling.on('error', (err) => {
      this.#siblings.delete(sibling);
      this.#log.warn({ err, address: host, port }, 'Cannot listen on every address of localhost');
    });
    sibling.listen({ host, port, backlog, exclusive }, () => {
      const shown = net.isIPv6(host) ? `[${host}]` : host;
      this.#log.info(textOf(`https://${shown}:${port}`));
    });
  }

  /**
   * Closing the server closes all of it: its callback, and so Fastify's `close()`, waits for the
   * siblings too.
   */
  #takeOverClose(): void {
    const server = this.#server;
    const close = server.close.bind(server);
    server.close = (callback) => {
      const siblings = this.#drain();
      return close((error) => void siblings.then(() => callback?.(error)));
    };

    for (const method of ['ref', 'unref'] as const) {
      const original = server[method].bind(server);
      server[method] = () => {
        for (const sibling of this.#siblings) sibling[method]();
        return original();
      };
    }
  }

  /** Ends what need not go on; resolves when the siblings are closed and their connections gone. */
  #drain(): Promise<unknown> {
    this.#open.abort();
    this.#http1.drain();
    this.#http2.drain();
    return Promise.all(
      [...this.#siblings].map((sibling) => new Promise((resolve) => sibling.close(resolve))),
    );
  }
}

function newController(): AbortController {
  const controller = new AbortController();
  // Every handshake under way listens; that is no leak.
  setMaxListeners(0, controller.signal);
  return controller;
}
