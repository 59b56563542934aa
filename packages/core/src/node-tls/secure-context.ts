import { ClientConfig } from '../config/client-config';
import type { CommonOptions } from '../config/options';
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
  asks: { serverName: boolean; protocol: boolean; ocspResponse: boolean; session: boolean };
}

const ASKS_NOTHING: ServerPolicy['asks'] = {
  serverName: false,
  protocol: false,
  ocspResponse: false,
  session: false,
};

/** What has the native context ask; the connection brings its own answers. */
function answeredElsewhere(): undefined {}

/**
 * Keys, certificates, trust and algorithms, checked: what `tls.createSecureContext` makes. Serves servers and clients;
 * what only one of them needs is built when one first asks.
 */
export class SecureContext {
  readonly #options: CommonOptions;
  readonly #servers = new Map<string, ServerConfig>();
  readonly #clients = new Map<string, ClientConfig>();

  /** @internal */
  constructor(options: unknown) {
    this.#options = toContextOptions(options);
  }

  /** Itself: `node:tls` keeps the native object here, and callers hand it on as if it were the context. */
  get context(): this {
    return this;
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
      const options = {
        ...this.#withIdentity(),
        requestCert,
        rejectUnauthorized,
        ALPNProtocols,
        SNICallback: serverName ? answeredElsewhere : undefined,
        ALPNCallback: protocol ? answeredElsewhere : undefined,
        OCSPCallback: ocspResponse ? answeredElsewhere : undefined,
      };
      return new ServerConfig(options, { identityOptional: true, storesSessions: session });
    });
  }

  /** @internal */
  clientConfig(policy: { rejectUnauthorized: boolean; requestOCSP: boolean }): ClientConfig {
    const key = `${policy.rejectUnauthorized} ${policy.requestOCSP}`;
    return memoize(
      this.#clients,
      key,
      () => new ClientConfig({ ...this.#withIdentity(), ...policy }),
    );
  }

  // Half of an identity is none; Node finds out when a handshake needs it.
  #withIdentity(): CommonOptions {
    const none = { key: undefined, keyFile: undefined, cert: undefined, certFile: undefined };
    return this.hasIdentity ? this.#options : { ...this.#options, ...none };
  }
}

function memoize<K, V>(made: Map<K, V>, key: K, make: () => V): V {
  let value = made.get(key);
  if (value === undefined) {
    value = withNodeErrors(make);
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
  const context = new SecureContext(options ?? {});
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
