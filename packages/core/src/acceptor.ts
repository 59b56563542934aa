import type { Duplex } from 'node:stream';
import { inspect, type InspectOptions } from 'node:util';
import { Connection } from '@node-aws-lc/native';
import { show } from './diagnostics/inspect';
import { toNarrowed } from './config/algorithms';
import { toHandshakeTimeout } from './config/checks';
import type { HandshakeOptions, ServerConfigOptions } from './config/options';
import { ServerConfig } from './config/server-config';
import { performHandshake, prepare, requireTransport } from './handshake';
import { toKtlsPolicy } from './ktls/policy';
import { planKtls } from './ktls/status';
import type { TlsStream, TlsStreamInit } from './stream/tls-stream';

/** Accepts TLS connections on transports that somebody else has accepted. */
export class TlsAcceptor {
  #config: ServerConfig;

  /** @param config validated when it was made, so that accepting can fail only for reasons of the connection */
  constructor(config: ServerConfig) {
    this.#config = requireConfig(config);
  }

  /** What the next handshake is performed with. */
  get config(): ServerConfig {
    return this.#config;
  }

  /**
   * Performs the handshakes that begin from now on with another configuration; those under way and the connections that
   * there are keep theirs. Given options and no `ServerConfig`, changes these in the one that there is (see
   * `ServerConfig.with`), and if they are bad, throws and changes nothing.
   *
   * @throws ConfigError as the constructor of `ServerConfig` does
   */
  setSecureContext(next: ServerConfig | Partial<ServerConfigOptions>): void {
    this.#config = next instanceof ServerConfig ? next : this.#config.with(next);
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return show(this, depth, options, { config: this.#config });
  }

  /**
   * Performs the server's side of a handshake. The transport is taken over: bytes that it has read already come first,
   * a socket still connecting is waited for, and on failure it is destroyed after the alert has been sent.
   *
   * @returns the stream of plaintext
   * @throws TlsError `ERR_SSL_*` for what the protocol found, Node's verification codes for the client's certificate,
   *   `ECONNRESET` if the client hung up, `ERR_TLS_HANDSHAKE_TIMEOUT`, `ERR_AWS_LC_TRANSPORT_CLOSED`, `ERR_AWS_LC_TRANSPORT_TAKEN`,
   *   `ERR_AWS_LC_KTLS_REQUIRED`; an AbortError if the signal fired
   */
  async accept(transport: Duplex, options: HandshakeOptions = {}): Promise<TlsStream> {
    const config = this.#config;
    requireTransport(transport, 'server');
    return performHandshake(
      prepare(transport, options, () => ({
        ...serverInit(config, options),
        side: 'server',
        transport,
        allowHalfOpen: options.allowHalfOpen,
        highWaterMark: options.highWaterMark,
        timeout: toHandshakeTimeout(options.handshakeTimeout, config.handshakeTimeout),
        signal: options.signal,
      })),
    );
  }
}

function requireConfig(config: unknown): ServerConfig {
  if (config instanceof ServerConfig) return config;
  throw Object.assign(new TypeError('config: expected a ServerConfig'), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
}

/** What the server's side of a handshake is made of. */
export function serverInit(
  config: ServerConfig,
  options: Pick<HandshakeOptions, 'keylog' | 'ktls' | 'ktlsAeadOnly'>,
): Omit<TlsStreamInit, 'transport' | 'onHandshake'> {
  const ktls = options.ktls === undefined ? config.ktls : toKtlsPolicy(options.ktls);
  const ktlsPlan = planKtls(ktls);
  return {
    connection: new Connection(
      config.context,
      ktlsPlan.request,
      toNarrowed(options.ktlsAeadOnly, config.kernelOnly),
      options.keylog !== undefined,
    ),
    answerers: config.answerers,
    keylog: options.keylog,
    ktls,
    ktlsPlan,
    strictClose: config.strictClose,
    rejectUnauthorized: false,
  };
}
