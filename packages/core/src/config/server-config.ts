import { createHash } from 'node:crypto';
import type { Context } from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { toKtlsPolicy, type KtlsPolicy } from '../ktls/policy';
import { toTicketKeys, type TicketKeys } from '../session/ticket-keys';
import { defaultTrust } from '../verify/default-trust';
import { toAlgorithms } from './algorithms';
import { toAlpn } from './alpn';
import {
  refuseUnsupported,
  requireObject,
  toBoolean,
  toHandshakeTimeout,
  toNoTickets,
} from './checks';
import { buildContext, buildTrust } from './context';
import { toIdentities, toRoots } from './credentials';
import type { ServerConfigOptions } from './options';
import { renewOptions } from './renew';

/** 0 none, 1 recorded, 2 refused if bad, 3 required: the native PeerVerification. */
type ClientVerification = 0 | 1 | 2 | 3;

const CLIENT_AUTH = new Map<unknown, ClientVerification>([
  ['none', 0],
  ['optional', 2],
  ['required', 3],
]);

function toClientVerification(options: ServerConfigOptions): ClientVerification {
  const { clientAuth, requestCert, rejectUnauthorized } = options;
  if (clientAuth === undefined) {
    const request = toBoolean('requestCert', requestCert, false);
    const reject = toBoolean('rejectUnauthorized', rejectUnauthorized, true);
    return request ? (reject ? 3 : 1) : 0;
  }
  if (requestCert !== undefined || rejectUnauthorized !== undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_CONFLICT',
      'clientAuth',
      'it says the same as requestCert and rejectUnauthorized; give one of the two',
    );
  }
  const mode = CLIENT_AUTH.get(clientAuth);
  if (mode === undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_TYPE',
      'clientAuth',
      "expected 'none', 'optional' or 'required'",
    );
  }
  return mode;
}

// Without roots of his own an operator who asks for client certificates would admit whoever holds one of any public CA.
function requireRoots(options: ServerConfigOptions, roots: Buffer[] | undefined): void {
  if (options.clientAuth === undefined || options.clientAuth === 'none' || roots !== undefined) {
    return;
  }
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_MISSING',
    'ca',
    `clientAuth '${options.clientAuth}' verifies against ca`,
  );
}

/** Binds sessions to the client-certificate policy that they were made under; equal in every process of a fleet. */
function toSessionIdContext(verification: ClientVerification, roots: Buffer[] | undefined): Buffer {
  const hash = createHash('sha256').update(`node-aws-lc server ${verification}`);
  for (const root of roots ?? []) hash.update(root);
  return hash.digest();
}

/**
 * The immutable configuration of a TLS server, validated as a whole when it is made.
 *
 * @throws ConfigError with one of the `ERR_AWS_LC_CONFIG_*` codes
 */
export class ServerConfig {
  /** What session tickets are sealed with. Another configuration that is given them resumes this one's sessions. */
  readonly ticketKeys: TicketKeys;
  /** @internal */
  readonly context: Context;
  /** @internal */
  readonly ktls: KtlsPolicy;
  /** @internal */
  readonly handshakeTimeout: number;
  /** @internal */
  readonly strictClose: boolean;
  /** @internal Whether clients are asked for a certificate. */
  readonly requestsCertificate: boolean;

  // Private, so that no log of the configuration shows a key.
  readonly #options: ServerConfigOptions;

  /** @param internal the second argument is this library's own */
  constructor(options: ServerConfigOptions, internal: { identityOptional?: boolean } = {}) {
    requireObject(options);
    refuseUnsupported(options);
    this.#options = { ...options };
    const verification = toClientVerification(options);
    const roots = toRoots(options);
    requireRoots(options, roots);
    this.ktls = toKtlsPolicy(options.ktls);
    this.handshakeTimeout = toHandshakeTimeout(options.handshakeTimeout);
    this.strictClose = toBoolean('strictClose', options.strictClose, false);
    this.requestsCertificate = verification !== 0;
    const identities = toIdentities(options);
    if (identities.length === 0 && !internal.identityOptional) {
      throw new ConfigError('ERR_AWS_LC_CONFIG_MISSING', 'key', 'a server needs `key` and `cert`');
    }
    this.ticketKeys = toTicketKeys(options.ticketKeys);
    this.context = buildContext({
      isServer: true,
      ...toAlgorithms(options),
      identities,
      peerVerification: verification,
      checksIdentity: false,
      trust: verification === 0 ? undefined : roots ? buildTrust(roots) : defaultTrust(),
      alpn: toAlpn(options),
      noTickets: toNoTickets(options.secureOptions),
      ticketKeys: this.ticketKeys.native,
      sessionIdContext: toSessionIdContext(verification, roots),
    });
    Object.freeze(this);
  }

  /**
   * This configuration with some options changed. Options that belong together (`key`, `cert` and `passphrase`; `ca` and
   * `caFile`; …) are changed together. The ticket keys are kept unless others are given, so that sessions outlive a new
   * certificate.
   *
   * @throws ConfigError as the constructor does
   */
  with(options: Partial<ServerConfigOptions>): ServerConfig {
    requireObject(options);
    const ticketKeys = options.ticketKeys ?? this.ticketKeys;
    return new ServerConfig({ ...renewOptions(this.#options, options), ticketKeys });
  }
}
