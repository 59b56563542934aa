import { createHash } from 'node:crypto';
import type { Context } from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { toKtlsPolicy, type KtlsPolicy } from '../ktls/policy';
import type { Answerers } from '../stream/questions';
import { toTicketKeys, type TicketKeys } from '../session/ticket-keys';
import { kernelSuites, toAlgorithms, type NarrowedSuites } from './algorithms';
import { toAlpn } from './alpn';
import {
  refuseUnsupported,
  requireObject,
  toBoolean,
  toHandshakeTimeout,
  toOwnSessionContext,
  toSessionTimeout,
  toSwitches,
} from './checks';
import { toAnswerers, toAsks, toCallbacks, type Asks } from './client-hello';
import { buildContext } from './context';
import { toCredentials } from './credentials';
import type { ServerConfigOptions } from './options';
import { renewOptions } from './renew';
import { signer, toRemoteIdentity, withoutDecryption } from './private-key';
import { toSigalgs } from './sigalgs';
import { toTrust, type Trust } from './trust';

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
function requireRoots({ clientAuth }: ServerConfigOptions, trust: Trust): void {
  if (clientAuth === undefined || clientAuth === 'none' || trust.isOwn) return;
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_MISSING',
    'ca',
    `clientAuth '${clientAuth}' verifies against ca`,
  );
}

/** Binds sessions to the client-certificate policy that they were made under; equal in every process of a fleet. */
function toSessionIdContext(
  verification: ClientVerification,
  { named, partialChain }: Trust,
  alsoTrusted: Buffer[],
  own: string,
): Buffer {
  const bound = own === '' ? '' : ` for ${JSON.stringify(own)}`;
  const policy = `${verification}${partialChain ? ' partial' : ''}${bound}`;
  const hash = createHash('sha256').update(`node-aws-lc server ${policy}`);
  for (const certificate of [...named, ...alsoTrusted]) hash.update(certificate);
  return hash.digest();
}

function isConfig(answer: unknown): answer is ServerConfig {
  return answer instanceof ServerConfig;
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
  /** @internal For a connection that is to have suites that the kernel knows, and no others. */
  readonly kernelOnly: NarrowedSuites | undefined;
  /** @internal */
  readonly handshakeTimeout: number;
  /** @internal */
  readonly strictClose: boolean;
  /** @internal What answers the questions that a ClientHello raises. */
  readonly answerers: Answerers | undefined;

  // Private, so that no log of the configuration shows a key.
  readonly #options: ServerConfigOptions;

  /** @param internal the second argument is this library's own */
  constructor(
    options: ServerConfigOptions,
    internal: {
      identityOptional?: boolean;
      /** What is asked, where each connection brings its own answers. */
      asks?: Asks;
      alsoTrusted?: readonly Buffer[];
    } = {},
  ) {
    requireObject(options);
    refuseUnsupported(options);
    this.#options = { ...options };
    const verification = toClientVerification(options);
    const trust = toTrust(options);
    requireRoots(options, trust);
    const callbacks = toCallbacks(options);
    this.ktls = toKtlsPolicy(options.ktls);
    this.handshakeTimeout = toHandshakeTimeout(options.handshakeTimeout);
    this.strictClose = toBoolean('strictClose', options.strictClose, false);
    const asks = internal.asks ?? toAsks(callbacks);
    const { keys, chains, alsoTrusted } = toCredentials(options);
    const needsIdentity = !internal.identityOptional && callbacks.SNICallback === undefined;
    const remote = toRemoteIdentity(options);
    if (keys.length === 0 && remote === undefined && needsIdentity) {
      throw new ConfigError('ERR_AWS_LC_CONFIG_MISSING', 'key', 'a server needs `key` and `cert`');
    }
    this.answerers = {
      ...toAnswerers(callbacks, isConfig),
      ...(options.privateKey && remote && signer(options.privateKey, remote, 'server')),
    };
    const chosen = toAlgorithms(options);
    const algorithms = remote ? withoutDecryption(chosen, options) : chosen;
    // Who says `clientAuth` means `ca` and nothing else.
    const trusted =
      options.clientAuth === undefined ? [...alsoTrusted, ...(internal.alsoTrusted ?? [])] : [];
    this.ticketKeys = toTicketKeys(options.ticketKeys);
    this.kernelOnly = kernelSuites(algorithms);
    this.context = buildContext({
      isServer: true,
      ...algorithms,
      keys,
      chains,
      ...remote,
      sigalgs: toSigalgs(options.sigalgs),
      peerVerification: verification,
      checksIdentity: false,
      trust: verification !== 0 || trust.named.length > 0 ? trust.build(trusted) : undefined,
      alpn: toAlpn(options),
      noTickets: toSwitches(options.secureOptions).noTickets,
      followsClientOrder: !toBoolean('honorCipherOrder', options.honorCipherOrder, true),
      ticketKeys: this.ticketKeys.native,
      sessionIdContext: toSessionIdContext(
        verification,
        trust,
        trusted,
        toOwnSessionContext(options.sessionIdContext),
      ),
      sessionTimeout: toSessionTimeout(options.sessionTimeout),
      storesSessions: asks.session,
      asksServerName: asks.serverName,
      asksAlpn: asks.protocol,
      asksOcspResponse: asks.ocspResponse,
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
