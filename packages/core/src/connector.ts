import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import { inspect, type InspectOptions } from 'node:util';
import { Connection } from '@node-aws-lc/native';
import { show } from './diagnostics/inspect';
import { toNarrowed } from './config/algorithms';
import { toAlpn } from './config/alpn';
import { toHandshakeTimeout } from './config/checks';
import { ClientConfig } from './config/client-config';
import type { ConnectOptions } from './config/options';
import { toServerName } from './config/server-name';
import { ConfigError } from './errors';
import { performHandshake, prepare, requireTransport } from './handshake';
import { toKtlsPolicy } from './ktls/policy';
import { planKtls, type KtlsPlan } from './ktls/status';
import type { TlsStream, TlsStreamInit } from './stream/tls-stream';

/** Makes TLS connections on transports that somebody else has connected. */
export class TlsConnector {
  readonly #config: ClientConfig;

  /** @param config validated when it was made, so that connecting can fail only for reasons of the connection */
  constructor(config: ClientConfig) {
    if (!(config instanceof ClientConfig)) {
      throw Object.assign(new TypeError('config: expected a ClientConfig'), {
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    this.#config = config;
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return show(this, depth, options, { config: this.#config });
  }

  /**
   * Performs the client's side of a handshake. The server's chain and name are verified inside the handshake, so that
   * a server that fails is refused with an alert and never sees a client certificate. The transport is taken over as
   * `TlsAcceptor.accept` does.
   *
   * @param serverName name that the certificate must be for; sent as SNI (RFC 6066) unless it is an IP address
   * @returns the stream of plaintext
   * @throws ConfigError `ERR_AWS_LC_CONFIG_SERVER_NAME`
   * @throws TlsError as `TlsAcceptor.accept`; `ERR_TLS_CERT_ALTNAME_INVALID` for a certificate of another name
   */
  async connect(
    serverName: string,
    transport: Duplex,
    options: ConnectOptions = {},
  ): Promise<TlsStream> {
    const config = this.#config;
    requireTransport(transport, 'client');
    return performHandshake(
      prepare(transport, options, () => {
        const name = config.servername ?? toServerName(serverName);
        const checkIdentity = (certificate: PeerCertificate): Error | undefined =>
          config.checkServerIdentity(name, certificate);
        return {
          ...clientInit(config, name, { ...options, checkIdentity }),
          side: 'client',
          transport,
          allowHalfOpen: options.allowHalfOpen,
          highWaterMark: options.highWaterMark,
          timeout: toHandshakeTimeout(options.handshakeTimeout, config.handshakeTimeout),
          signal: options.signal,
        };
      }),
    );
  }
}

/** What one connection may have that is not the configuration's. */
export interface ClientInitOptions extends Pick<
  ConnectOptions,
  'ALPNProtocols' | 'keylog' | 'ktls' | 'ktlsAeadOnly' | 'session'
> {
  checkIdentity: NonNullable<TlsStreamInit['checkIdentity']>;
}

/**
 * What the client's side of a handshake is made of.
 *
 * @param name sent as SNI, unless it is none or an IP address
 */
export function clientInit(
  config: ClientConfig,
  name: string | undefined,
  options: ClientInitOptions,
): Omit<TlsStreamInit, 'transport' | 'onHandshake'> {
  const ktls = options.ktls === undefined ? config.ktls : toKtlsPolicy(options.ktls);
  const ktlsPlan = planKtls(ktls);
  return {
    connection: toConnection(config, name, options, ktlsPlan),
    ktls,
    ktlsPlan,
    strictClose: config.strictClose,
    serverName: name,
    answerers: config.answerers,
    keylog: options.keylog,
    checkIdentity: options.checkIdentity,
    rejectUnauthorized: config.rejectUnauthorized,
  };
}

function toConnection(
  config: ClientConfig,
  name: string | undefined,
  options: ClientInitOptions,
  ktls: KtlsPlan,
): Connection {
  const session = options.session ?? config.session;
  try {
    const connection = new Connection(
      config.context,
      ktls.request,
      toNarrowed(options.ktlsAeadOnly, config.kernelOnly),
      options.keylog !== undefined,
      {
        servername: name === undefined || isIP(name) ? undefined : name,
        serverIdentity: name,
        alpn:
          options.ALPNProtocols === undefined ? undefined : (toAlpn(options) ?? Buffer.alloc(0)),
        session,
      },
    );
    // A ticket of TLS 1.3 that two connections show links them for whoever looks on (RFC 8446, appendix C.4).
    if (session !== undefined && session === config.session && connection.offersSingleUse()) {
      config.dropSession();
    }
    return connection;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_TYPE',
      'session',
      'it is no session of this library',
      cause,
    );
  }
}
