import type { SecureClientSessionOptions } from 'node:http2';
import { isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { type ClientConfigOptions, http2Socket } from '@node-aws-lc/core';
import { errors } from 'undici';
import { ClientSockets, type SocketOptions } from './client-sockets';
import { cleartextRefused } from './errors';
import { unbracketed } from './socket';

/** The options of all connections that a {@link Http2Connect} makes. */
export interface Http2ConnectOptions extends ClientConfigOptions {
  /** Of how many servers sessions are kept for resumption. Default 100; 0 keeps none. */
  maxCachedSessions?: number;
}

/**
 * Makes connections for HTTP/2, in the two ways in which connections are asked for. The sockets have
 * the surface of `tls.TLSSocket` without being of that class.
 */
export interface Http2Connect {
  /**
   * As `createConnection` of `http2.connect()` and of http2-wrapper's `Agent`: the socket of a
   * session, which offers `h2` alone. TLS options of the session come before the connector's.
   *
   * @throws `ERR_AWS_LC_CLEARTEXT` for an `http:` authority
   */
  (authority: URL | string, options?: SecureClientSessionOptions): TLSSocket;
  /** As `tls.connect`, which http2-wrapper's `auto.createResolveProtocol` takes to find out by ALPN. */
  (options: ConnectionOptions, onSecure?: () => void): TLSSocket;
}

/**
 * Makes the function that gives HTTP/2 clients their connections: `http2.connect()`, http2-wrapper,
 * and got by it.
 *
 * ```ts
 * const session = http2.connect('https://localhost:8443', { createConnection: createHttp2Connect({ ca }) });
 * ```
 *
 * Sessions are kept of verified servers only, and resumed only with equal TLS options.
 *
 * @throws `ERR_AWS_LC_CONFIG_*` or Node's own errors for TLS options that cannot work
 */
export function createHttp2Connect(options: Http2ConnectOptions = {}): Http2Connect {
  const { maxCachedSessions = 100 } = options;
  if (!Number.isInteger(maxCachedSessions) || maxCachedSessions < 0) {
    throw new errors.InvalidArgumentError('maxCachedSessions must be a positive integer or zero');
  }
  const sockets = new ClientSockets(options, maxCachedSessions);

  const open = (given: object, onSecure?: () => void) => {
    const completed = sockets.complete<SocketOptions>({ ...given });
    const { host, port, socketPath, servername } = completed;
    const key = [host, port, socketPath, servername, sockets.nameOf(completed)];
    return sockets.open(JSON.stringify(key), completed, onSecure);
  };

  function connect(authority: URL | string, options?: SecureClientSessionOptions): TLSSocket;
  function connect(options: ConnectionOptions, onSecure?: () => void): TLSSocket;
  function connect(target: URL | string | ConnectionOptions, more?: unknown): unknown {
    if (typeof target !== 'string' && !(target instanceof URL)) {
      return open(target, more as (() => void) | undefined);
    }
    const { protocol, host: authority, hostname, port } = new URL(target);
    if (protocol !== 'https:') {
      throw cleartextRefused({ protocol, host: authority, hostname, port });
    }
    const host = unbracketed(hostname);
    const given = more as SecureClientSessionOptions | undefined;
    return http2Socket(
      open({
        ...given,
        host,
        port: Number(port || 443),
        servername: given?.servername ?? options.servername ?? (isIP(host) ? '' : host),
        ALPNProtocols: ['h2'],
      }),
    );
  }
  return connect;
}
