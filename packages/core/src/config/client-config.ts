import type { Context } from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { toKtlsPolicy, type KtlsPolicy } from '../ktls/policy';
import { checkServerIdentity } from '../verify/identity';
import type { Answerers } from '../stream/questions';
import { kernelSuites, toAlgorithms, type NarrowedSuites } from './algorithms';
import { toAlpn } from './alpn';
import {
  refuseUnsupported,
  requireObject,
  toBoolean,
  toHandshakeTimeout,
  toSession,
} from './checks';
import { buildContext } from './context';
import { toCredentials } from './credentials';
import type { ClientConfigOptions } from './options';
import { signer, toRemoteIdentity } from './private-key';
import { toServerName } from './server-name';
import { toSigalgs } from './sigalgs';
import { toTrust } from './trust';

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
  /** @internal For a connection that is to have suites that the kernel knows, and no others. */
  readonly kernelOnly: NarrowedSuites | undefined;
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
  /** @internal What answers the questions of a handshake. */
  readonly answerers: Answerers | undefined;
  // Private, so that no log of the configuration shows it: a session is a secret.
  #session: Buffer | undefined;

  /** @param internal the second argument is this library's own */
  constructor(
    options: ClientConfigOptions = {},
    internal: { alsoTrusted?: readonly Buffer[] } = {},
  ) {
    requireObject(options);
    refuseUnsupported(options);
    this.rejectUnauthorized = toBoolean('rejectUnauthorized', options.rejectUnauthorized, true);
    this.servername =
      options.servername === undefined ? undefined : toServerName(options.servername, 'servername');
    this.checkServerIdentity = options.checkServerIdentity ?? checkServerIdentity;
    if (typeof this.checkServerIdentity !== 'function') {
      throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'checkServerIdentity', 'expected a function');
    }
    this.#session = toSession(options.session);
    this.ktls = toKtlsPolicy(options.ktls);
    this.handshakeTimeout = toHandshakeTimeout(options.handshakeTimeout);
    this.strictClose = toBoolean('strictClose', options.strictClose, false);
    const { keys, chains, alsoTrusted } = toCredentials(options);
    const { privateKey } = options;
    const remote = toRemoteIdentity(options);
    this.answerers = privateKey && remote && signer(privateKey, remote, 'client');
    const algorithms = toAlgorithms(options);
    this.kernelOnly = kernelSuites(algorithms);
    this.context = buildContext({
      isServer: false,
      ...algorithms,
      keys,
      chains,
      ...remote,
      sigalgs: toSigalgs(options.sigalgs),
      peerVerification: this.rejectUnauthorized ? 3 : 1,
      checksIdentity: true,
      trust: toTrust(options).build([...alsoTrusted, ...(internal.alsoTrusted ?? [])]),
      alpn: toAlpn(options),
      requestsOcspResponse: toBoolean('requestOCSP', options.requestOCSP, false),
    });
    Object.freeze(this);
  }

  /** @internal */
  get session(): Buffer | undefined {
    return this.#session;
  }

  /** @internal The session was offered and must not be again. */
  dropSession(): void {
    this.#session = undefined;
  }
}
