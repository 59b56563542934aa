import { ClientConfig } from '../config/client-config';
import type { Asks } from '../config/client-hello';
import { toCertificates } from '../config/material';
import type { CommonOptions, Material, ServerConfigOptions } from '../config/options';
import { ServerConfig } from '../config/server-config';
import { withNodeErrors } from './config-errors';
import { toContextOptions } from './context-options';

/** What a server makes of a context. */
export interface ServerPolicy {
  requestCert: boolean;
  rejectUnauthorized: boolean;
  /** Wire format (RFC 7301). */
  ALPNProtocols: Uint8Array | undefined;
  /** What of a ClientHello somebody is asked about. */
  asks: Asks;
}

const ASKS_NOTHING: Asks = {
  serverName: false,
  protocol: false,
  ocspResponse: false,
  session: false,
};

/** The options that one end proves itself with. */
const IDENTITY = ['cert', 'certFile', 'key', 'keyFile', 'passphrase', 'pfx', 'privateKey'] as const;
/** The options that the other end is verified by. */
const TRUST = ['allowPartialTrustChain', 'ca', 'caFile', 'crl'] as const;

type OptionNames = readonly (keyof CommonOptions)[];

/**
 * Keys, certificates, trust and algorithms, checked: what `tls.createSecureContext` makes. Serves servers and clients;
 * what only one of them needs is built when one first asks.
 */
export class SecureContext {
  readonly #options: CommonOptions;
  readonly #servers = new Map<string, ServerConfig>();
  readonly #clients = new Map<string, ClientConfig>();
  readonly #served = new WeakMap<object, SecureContext>();
  readonly #proven = new WeakMap<object, SecureContext>();
  #alsoTrusted: readonly Buffer[];
  // Another one with everything that changes: what contexts that were made from this one are found by.
  #revision = {};

  /** @internal */
  constructor(options: CommonOptions, alsoTrusted: readonly Buffer[] = []) {
    this.#options = options;
    this.#alsoTrusted = alsoTrusted;
  }

  /** Itself: `node:tls` keeps the native object here, and callers hand it on as if it were the context. */
  get context(): this {
    return this;
  }

  /**
   * Trusts certificates beside `ca`, or beside the default trust where there is no `ca`, from the next connection on: the
   * method of `node:tls`'s native contexts that adds to the roots of programs which replace `createSecureContext`.
   *
   * @param certificates PEM or DER
   * @throws ConfigError ERR_AWS_LC_CONFIG_CA, ERR_AWS_LC_CONFIG_PEM, ERR_AWS_LC_CONFIG_TYPE
   */
  addCACert(certificates: Material): void {
    const added = toCertificates(certificates, 'ca', 'ERR_AWS_LC_CONFIG_CA');
    this.#alsoTrusted = [...this.#alsoTrusted, ...added];
    this.#revision = {};
    this.#servers.clear();
    this.#clients.clear();
  }

  /** Whether there is something to show to a peer. */
  get hasIdentity(): boolean {
    const { key, keyFile, cert, certFile, privateKey } = this.#options;
    const { pfx } = this.#options as { pfx?: unknown };
    if (pfx !== undefined || privateKey !== undefined) return true;
    return (key ?? keyFile) !== undefined && (cert ?? certFile) !== undefined;
  }

  /** @internal */
  serverConfig(policy: ServerPolicy): ServerConfig {
    const { requestCert, rejectUnauthorized, ALPNProtocols, asks } = policy;
    const alpn = ALPNProtocols === undefined ? '' : Buffer.from(ALPNProtocols).toString('hex');
    const { serverName, protocol, ocspResponse, session } = asks;
    const asked = `${serverName} ${protocol} ${ocspResponse} ${session}`;
    const key = `${requestCert} ${rejectUnauthorized} ${asked} ${alpn}`;
    return memoize(this.#servers, key, () => {
      const options: ServerConfigOptions = {
        ...this.#withIdentity(),
        requestCert,
        rejectUnauthorized,
        ALPNProtocols,
      };
      const alsoTrusted = this.#alsoTrusted;
      const internal = { identityOptional: true, asks, alsoTrusted };
      return withNodeErrors(() => new ServerConfig(options, internal));
    });
  }

  /** @internal */
  clientConfig(policy: { rejectUnauthorized: boolean; requestOCSP: boolean }): ClientConfig {
    const key = `${policy.rejectUnauthorized} ${policy.requestOCSP}`;
    return memoize(this.#clients, key, () => {
      const options = { ...this.#withIdentity(), ...policy };
      const internal = { alsoTrusted: this.#alsoTrusted };
      return withNodeErrors(() => new ClientConfig(options, internal));
    });
  }

  /**
   * @internal What a server of this context serves a client with for whom `SNICallback` or `addContext` has that one: its
   * certificates and trust, and for the rest what the server was made with. As in `node:tls`: whoever has barred a version
   * or a suite has barred it under every name.
   */
  serving(chosen: SecureContext): SecureContext {
    return memoize(this.#served, chosen.#revision, () =>
      this.#with(chosen, [...IDENTITY, ...TRUST], chosen.#alsoTrusted),
    );
  }

  /** @internal This context with another one's certificates. */
  provenBy(other: SecureContext): SecureContext {
    return memoize(this.#proven, other.#revision, () =>
      this.#with(other, IDENTITY, this.#alsoTrusted),
    );
  }

  #with(other: SecureContext, names: OptionNames, alsoTrusted: readonly Buffer[]): SecureContext {
    const others = names.map((name) => [name, other.#options[name]] as const);
    return new SecureContext({ ...this.#options, ...Object.fromEntries(others) }, alsoTrusted);
  }

  // Half of an identity is none; Node finds out when a handshake needs it.
  #withIdentity(): CommonOptions {
    const none = { key: undefined, keyFile: undefined, cert: undefined, certFile: undefined };
    return this.hasIdentity ? this.#options : { ...this.#options, ...none };
  }
}

interface Memo<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

function memoize<K, V>(made: Memo<K, V>, key: K, make: () => V): V {
  let value = made.get(key);
  if (value === undefined) {
    value = make();
    made.set(key, value);
  }
  return value;
}

/**
 * Checks keys, certificates, trust and algorithms, and keeps them for `secureContext`, as `tls.createSecureContext`.
 *
 * @throws ConfigError or Node's own errors for what cannot work or is not offered
 */
export function createSecureContext(options?: object | null): SecureContext {
  const context = new SecureContext(toContextOptions(options ?? {}));
  // What is wrong is said now, and not by the first connection.
  if (context.hasIdentity) {
    context.serverConfig({
      requestCert: false,
      rejectUnauthorized: true,
      ALPNProtocols: undefined,
      asks: ASKS_NOTHING,
    });
  } else {
    context.clientConfig({ rejectUnauthorized: true, requestOCSP: false });
  }
  return context;
}
