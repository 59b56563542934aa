import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { type ClientConfigOptions, ConfigError } from '@node-aws-lc/core';
import { errors } from 'undici';
import { ClientSockets, type SocketOptions } from './client-sockets';
import { configuringOptions } from './tls-options';

/** `https.Agent`'s options, and those of core's `ClientConfigOptions`. */
export type HttpsAgentOptions = Omit<https.AgentOptions, keyof ClientConfigOptions> &
  ClientConfigOptions;

type RequestOptions = https.RequestOptions & SocketOptions & { _agentKey?: string };

/** Node calls it; its types do not have it. */
interface AgentInternals {
  addRequest(request: http.ClientRequest, options: object): void;
}

/**
 * Makes an agent for `https.request`, and for whatever takes one: axios (`httpsAgent`), got
 * (`agent.https`), ws (`agent`). It is an `https.Agent` in all but whose TLS it speaks:
 *
 * ```ts
 * const agent = createHttpsAgent({ ca, keepAlive: true });
 * https.get('https://localhost:8443/', { agent }, (response) => response.pipe(process.stdout));
 * ```
 *
 * TLS options of a single request come before the agent's, and connections that differ in any
 * TLS option are never shared, nor are their sessions. A session is kept only of a server that was
 * verified, and a ticket of TLS 1.3 used once.
 *
 * @throws `ERR_AWS_LC_CONFIG_*` or Node's own errors for TLS options that cannot work;
 *   `ERR_AWS_LC_CONFIG_UNSUPPORTED` for `proxyEnv`, which has Node speak TLS
 */
export function createHttpsAgent(options: HttpsAgentOptions = {}): https.Agent {
  if ((options as { proxyEnv?: unknown }).proxyEnv !== undefined) {
    const detail = "Node's agent would speak TLS through the proxy itself";
    throw new ConfigError('ERR_AWS_LC_CONFIG_UNSUPPORTED', 'proxyEnv', detail);
  }
  return new AwsLcAgent(options);
}

class AwsLcAgent extends https.Agent {
  readonly #sockets: ClientSockets;

  constructor(options: HttpsAgentOptions) {
    // Node would have them take precedence over the request's.
    const others: Record<string, unknown> = { ...options };
    for (const name of ['servername', ...Object.keys(configuringOptions(options))]) {
      delete others[name];
    }
    super(others);
    const { maxCachedSessions = 100 } = options;
    if (!Number.isInteger(maxCachedSessions) || maxCachedSessions < 0) {
      throw new errors.InvalidArgumentError('maxCachedSessions must be a positive integer or zero');
    }
    const defaults = { ALPNProtocols: ['http/1.1'], ...options };
    this.#sockets = new ClientSockets(defaults, maxCachedSessions);
  }

  /** @internal */
  addRequest(request: http.ClientRequest, options: object): void {
    const node = https.Agent.prototype as unknown as AgentInternals;
    // A request that waits for a socket shows its options to whoever logs it: no key among them.
    node.addRequest.call(this, request, this.#sockets.withServerName(options));
  }

  /** Names the pool: where its connections lead, for which name, and with which TLS options. */
  override getName(given: https.RequestOptions = {}): string {
    const options = this.#sockets.complete(given);
    const route = http.Agent.prototype.getName.call(this, options);
    return `${route}:${options.servername ?? ''}:${this.#sockets.nameOf(options)}`;
  }

  /** Makes a connection; also without a pool around it, for `ws`'s `createConnection`. */
  override createConnection(given: RequestOptions): Duplex {
    const options = this.#sockets.complete(given);
    return this.#sockets.open(options._agentKey ?? this.getName(options), options);
  }
}
