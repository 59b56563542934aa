import type { Context } from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { toKtlsPolicy, type KtlsPolicy } from '../ktls/policy';
import { defaultTrust } from '../verify/default-trust';
import { checkServerIdentity } from '../verify/identity';
import { toAlgorithms } from './algorithms';
import { toAlpn } from './alpn';
import {
  refuseUnsupported,
  requireObject,
  toBoolean,
  toHandshakeTimeout,
  toNoTickets,
  toSession,
} from './checks';
import { buildContext, buildTrust } from './context';
import { toIdentities, toRoots } from './credentials';
import type { ClientConfigOptions } from './options';
import { toServerName } from './server-name';

/**
 * The immutable configuration of a TLS client, validated as a whole when it is made. Without options it verifies
 * servers against the default trust.
 *
 * @throws ConfigError with one of the `ERR_AWS_LC_CONFIG_*` codes
 */
export class ClientConfig {
  /** @internal */
  readonly context: Context;
  /** @internal */
  readonly ktls: KtlsPolicy;
  /** @internal */
  readonly handshakeTimeout: number;
  /** @internal */
  readonly strictClose: boolean;
  /** @internal */
  readonly rejectUnauthorized: boolean;
  /** @internal */
  readonly servername: string | undefined;
  /** @internal */
  readonly checkServerIdentity: NonNullable<ClientConfigOptions['checkServerIdentity']>;
  // Private, so that no log of the configuration shows it: a session is a secret.
  readonly #session: Buffer | undefined;

  constructor(options: ClientConfigOptions = {}) {
    requireObject(options);
    refuseUnsupported(options);
    this.rejectUnauthorized = toBoolean('rejectUnauthorized', options.rejectUnauthorized, true);
    this.servername =
      options.servername === undefined ? undefined : toServerName(options.servername, 'servername');
    this.checkServerIdentity = options.checkServerIdentity ?? checkServerIdentity;
    if (typeof this.checkServerIdentity !== 'function') {
      throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'checkServerIdentity', 'expected a function');
    }
    toNoTickets(options.secureOptions);
    this.#session = toSession(options.session);
    this.ktls = toKtlsPolicy(options.ktls);
    this.handshakeTimeout = toHandshakeTimeout(options.handshakeTimeout);
    this.strictClose = toBoolean('strictClose', options.strictClose, false);
    const roots = toRoots(options);
    this.context = buildContext({
      isServer: false,
      ...toAlgorithms(options),
      identities: toIdentities(options),
      peerVerification: this.rejectUnauthorized ? 3 : 1,
      checksIdentity: true,
      trust: roots ? buildTrust(roots) : defaultTrust(),
      alpn: toAlpn(options),
    });
    Object.freeze(this);
  }

  /** @internal */
  get session(): Buffer | undefined {
    return this.#session;
  }
}
