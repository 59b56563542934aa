import * as http from 'node:http';
import type { NamedContextOptions } from './contexts';
import { HttpsFront } from './https-front';
import type { HttpsOptions } from './options';
import type { TlsStats } from './statistics';

/** Options of {@link createSecureServer}: those of TLS and those of `http.createServer()` together. */
export interface SecureServerOptions extends HttpsOptions, http.ServerOptions {
  /** Idle time after which an h2 session is closed, in ms. Default 0: never. */
  http2SessionTimeout?: number | undefined;
}

/**
 * What serves a request; what it returns, a promise perhaps, is not waited for. Over h2 it is given node:http2's compatibility objects, which have the
 * interface of node:http's.
 */
export type RequestListener = (
  request: http.IncomingMessage,
  response: http.ServerResponse<http.IncomingMessage> & { req: http.IncomingMessage },
) => unknown;

/**
 * An http.Server that speaks TLS: HTTP/1.1 and h2 on one port. Made by {@link createSecureServer}.
 *
 * Events beside those of `http.Server`: 'secureConnection' (stream) and 'tlsClientError' (error,
 * socket), as `https.Server` has them, and 'session' (session) and 'sessionError' (error, session), as
 * `http2.Http2SecureServer` has them.
 */
export class SecureServer extends http.Server {
  readonly #front: HttpsFront;

  /** @internal */
  constructor(options: SecureServerOptions, listener?: RequestListener) {
    const { http2SessionTimeout } = options;
    super(options, listener);
    this.#front = new HttpsFront(this, options, { http2SessionTimeout, likeHttp1: true });
  }

  /**
   * Changes certificate and key, or any other option of TLS, for the connections that come from now
   * on. What is not given stays as it was, except that key, certificate and passphrase are replaced
   * together, and so are `ca` and `caFile`.
   *
   * @throws the errors of `ServerConfig`; then nothing has changed
   */
  setSecureContext(options: Partial<HttpsOptions>): void {
    this.#front.setSecureContext(options);
  }

  /**
   * Serves clients that ask for this name with other certificates, keys and client authentication.
   * See {@link HttpsFront.addContext}.
   *
   * @throws ConfigError `ERR_AWS_LC_CONFIG_…`; then nothing has changed
   */
  addContext(name: string, options: NamedContextOptions): void {
    this.#front.addContext(name, options);
  }

  /** The figures of this moment: connections, handshakes, failures, kernel TLS, bytes. */
  stats(): TlsStats {
    return this.#front.stats();
  }
}

/**
 * HTTP/1.1 and h2 over TLS on one port, for what takes a listener of `node:http`: Express, Koa,
 * Hono, Nest, or a function.
 *
 * ```ts
 * createSecureServer({ key, cert }, express()).listen(8443);
 * ```
 *
 * Both protocols come out as requests of one server, with its time-outs, its 'request', 'upgrade',
 * 'clientError' and 'timeout' events, and its graceful `close()`. `request.socket` is the TLS stream
 * over HTTP/1.1 and node:http2's view of it over h2, with the surface of `tls.TLSSocket` either way.
 *
 * @throws ConfigError `ERR_AWS_LC_CONFIG_…`
 */
export function createSecureServer(
  options: SecureServerOptions,
  listener?: RequestListener,
): SecureServer {
  return new SecureServer(options, listener);
}
