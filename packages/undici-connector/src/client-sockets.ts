import {
  type ClientConfigOptions,
  connect,
  createSecureContext,
  type SecureContext,
  type TlsConnectOptions,
  type TLSSocket,
} from '@node-aws-lc/core';
import { SessionCache } from './session-cache';
import { configuringOptions, fingerprint } from './tls-options';

/** How many configurations of single calls are kept ready for the next call with the same. */
const CONTEXTS_KEPT = 100;

/** Where a connection leads, and what is special about it. */
export interface SocketOptions extends TlsConnectOptions {
  socketPath?: string | null | undefined;
}

/**
 * Makes the client sockets of one agent. Each call may bring TLS options of its own, which come
 * before the agent's; sockets of different configurations share nothing.
 */
export class ClientSockets {
  readonly #defaults: Record<string, unknown>;
  readonly #sessions: SessionCache;
  readonly #contexts = new Map<string, SecureContext>();

  /**
   * @param defaults - the agent's options; what is not about TLS is ignored
   * @param maxCachedSessions - of how many servers and configurations to keep sessions
   * @throws ConfigError `ERR_AWS_LC_CONFIG_*` or Node's own errors for what cannot work
   */
  constructor(defaults: object, maxCachedSessions: number) {
    const { servername } = defaults as ClientConfigOptions;
    this.#defaults = { ...configuringOptions(defaults), ...(servername && { servername }) };
    this.#sessions = new SessionCache(maxCachedSessions);
    this.#contextOf(this.nameOf({}), this.#defaults);
  }

  /** The options of a call, completed by the agent's where they are about TLS. */
  complete<T extends object>(options: T): T {
    const { servername } = options as ClientConfigOptions;
    const own = { ...configuringOptions(options), ...(servername && { servername }) };
    return { ...options, ...this.#defaults, ...own };
  }

  /** The options of a call, with the agent's name of the server where they have none. */
  withServerName<T extends object>(options: T): T {
    const { servername } = this.#defaults;
    return servername && !(options as ClientConfigOptions).servername
      ? { ...options, servername }
      : options;
  }

  /** What tells the TLS configuration of completed options from others of the same agent. */
  nameOf(options: object): string {
    const special = configuringOptions(options, this.#defaults);
    return Object.keys(special).length === 0 ? '' : fingerprint(special);
  }

  /**
   * Connects; the socket is returned at once.
   *
   * @param key - names all that decides whether a session may be resumed
   * @param options - completed
   */
  open(key: string, options: SocketOptions, onSecure?: () => void): TLSSocket {
    const socket = connect({
      ...options,
      // In requests `path` is the resource's.
      path: options.socketPath ?? undefined,
      secureContext: options.secureContext ?? this.#contextOf(this.nameOf(options), options),
    });
    if (options.session === undefined) {
      const session = this.#sessions.take(key, socket);
      if (session !== undefined) {
        socket.setSession(session);
      }
      socket.once('secureConnect', () => this.#sessions.fill(key, socket));
    }
    if (onSecure !== undefined) {
      socket.once('secureConnect', onSecure);
    }
    return socket;
  }

  #contextOf(name: string, options: object): SecureContext {
    const known = this.#contexts.get(name);
    if (known !== undefined) {
      return known;
    }
    const context = createSecureContext(options);
    this.#contexts.set(name, context);
    if (this.#contexts.size > CONTEXTS_KEPT) {
      // The first is the agent's own.
      const [, oldest] = this.#contexts.keys();
      this.#contexts.delete(oldest!);
    }
    return context;
  }
}
