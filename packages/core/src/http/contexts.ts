import { X509Certificate } from 'node:crypto';
import * as net from 'node:net';
import { toCredentials } from '../config/credentials';
import type { ServerConfigOptions } from '../config/options';
import { toRemoteIdentity } from '../config/private-key';
import { ServerConfig } from '../config/server-config';
import { ServerNames } from '../config/server-names';
import { ConfigError } from '../errors';
import type { TicketKeys } from '../session/ticket-keys';
import type { DecidedOptions } from './options';

/** What a client is served with by the name that it asks for: certificate, keys, client authentication. */
export type NamedContextOptions = Omit<
  ServerConfigOptions,
  'ALPNProtocols' | 'alpnProtocols' | 'ALPNCallback' | 'SNICallback' | 'handshakeTimeout'
>;

/** The configurations of one server: its own, and those of names. */
export class Contexts {
  readonly #names = new ServerNames();
  /** What the configurations of names were made of. */
  readonly #added = new Map<ServerConfig, NamedContextOptions>();
  readonly #own: DecidedOptions;
  #certificates: X509Certificate[] | undefined;

  constructor(own: DecidedOptions, before?: Contexts) {
    this.#own = own;
    if (before === undefined) return;
    this.#names = before.#names;
    this.#added = before.#added;
  }

  /** The options of the server's own configuration. */
  get own(): DecidedOptions {
    return this.#own;
  }

  /**
   * The server's own configuration, which knows the others.
   *
   * `http/1.0` is what HTTP/1.1 servers speak as well, and a client of that age says so.
   */
  config(ticketKeys?: TicketKeys): ServerConfig {
    const own = this.#own;
    const offered = own.alpnProtocols.flatMap((name) =>
      name === 'http/1.1' ? [name, 'http/1.0'] : [name],
    );
    const asked = this.#added.size > 0 && {
      SNICallback: (name: string) => this.#names.resolve(name),
    };
    return new ServerConfig({
      ...own,
      ...asked,
      alpnProtocols: offered,
      ticketKeys: own.ticketKeys ?? ticketKeys,
    });
  }

  /**
   * Adds a configuration for a name, or exchanges the one that was added for it.
   *
   * @throws ConfigError where the options make no server, or the name can match nothing
   */
  add(name: string, options: NamedContextOptions): void {
    if (this.#own.SNICallback !== undefined) {
      const detail = 'the server has an SNICallback, which decides alone';
      throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'addContext', detail);
    }
    const config = new ServerConfig(options);
    const before = this.#names.replace(name, config);
    if (before !== undefined) this.#added.delete(before);
    this.#added.set(config, options);
    this.#certificates = undefined;
  }

  /** Whether a certificate of the server is good for the name. */
  isNamed(hostname: string): boolean {
    this.#certificates ??= [this.#own, ...this.#added.values()].flatMap((options) => {
      const { chains } = toRemoteIdentity(options) ?? toCredentials(options);
      return chains.map(([leaf]) => new X509Certificate(leaf));
    });
    return this.#certificates.some((certificate) =>
      net.isIP(hostname) ? certificate.checkIP(hostname) : certificate.checkHost(hostname),
    );
  }

  /**
   * Whether a request for `host` came on a connection on which that host's demand for a client
   * certificate was never made. A client that has a connection for one name may ask for another on
   * it (RFC 9110, section 7.4), and would get around the demand.
   *
   * @param serverName - what the connection was made for; `false` if the client did not say
   * @param host - a `Host` header or `:authority`; one that is none, which somebody could yet read as any name, is
   *   misdirected wherever a name makes such a demand
   */
  isMisdirected(serverName: string | false, host: string): boolean {
    if (this.#added.size === 0) return false;
    const hostname = hostnameOf(host);
    if (hostname === undefined) {
      return [this.#own, ...this.#added.values()].some(asksForCertificate);
    }
    const wanted = this.#names.resolve(hostname);
    if (wanted === this.#names.resolve(serverName || '')) return false;
    return asksForCertificate((wanted && this.#added.get(wanted)) ?? this.#own);
  }
}

function asksForCertificate({ clientAuth, requestCert }: NamedContextOptions): boolean {
  return requestCert === true || (clientAuth !== undefined && clientAuth !== 'none');
}

/** RFC 3986, section 3.2.2, less escapes and commas, which some decode and some take for the end of the name. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+;=-]*)(?::[0-9]*)?$/i;

function hostnameOf(host: string): string | undefined {
  return HOST.exec(host)?.[1]?.replace(/\.$/, '');
}
