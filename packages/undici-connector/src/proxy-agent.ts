// undici's ProxyAgent and EnvHttpProxyAgent do all that a proxy takes, except that they build their
// TLS connections themselves. So they stay as they are, and wherever they make a connection it is
// ours: `clientFactory` makes the client that talks to the proxy, and `factory` the pools that talk
// through it, whose `connect` opens a tunnel and would then speak TLS in it.
import {
  type Agent,
  type buildConnector,
  Client,
  type Dispatcher,
  EnvHttpProxyAgent,
  errors,
  Pool,
  ProxyAgent,
} from 'undici';
import { createConnector } from './connector';
import { secureProxyError } from './errors';
import { type ConnectorOptions, readOptions } from './options';
import { throughTunnel } from './tunnel';

type UndiciOptions = Omit<ProxyAgent.Options, 'connect' | 'proxyTls' | 'requestTls' | 'uri'> &
  Pick<EnvHttpProxyAgent.Options, 'httpProxy' | 'httpsProxy' | 'noProxy'>;

/** undici's options for `ProxyAgent` and `EnvHttpProxyAgent`, with TLS options of this library. */
export interface ProxyAgentOptions extends UndiciOptions {
  /**
   * The proxy, `http:` or `https:`, with credentials or without. Default: the environment's proxies,
   * from `https_proxy`, `HTTPS_PROXY`, `http_proxy`, `HTTP_PROXY`, and their exceptions, from
   * `no_proxy` or `NO_PROXY`, read as undici's `EnvHttpProxyAgent` reads them.
   */
  uri?: string | URL;
  /**
   * TLS with origins, inside the tunnel; also with those that the environment exempts from proxying.
   * Its `timeout` covers the opening of the tunnel, and anew the handshake in it.
   */
  requestTls?: ConnectorOptions;
  /** TLS with an `https:` proxy, and how to connect to any proxy. */
  proxyTls?: ConnectorOptions;
  /**
   * Let `http:` origins through, in plaintext to the proxy and beyond. Default false: they are
   * refused with `ERR_AWS_LC_CLEARTEXT`.
   */
  allowCleartext?: boolean;
}

/**
 * Makes a dispatcher for undici that reaches its origins through CONNECT proxies (RFC 9110, section
 * 9.3.6), with AWS-LC inside the tunnel and towards `https:` proxies:
 *
 * ```ts
 * const dispatcher = createProxyAgent({ uri: 'http://user:secret@proxy.test:3128', requestTls: { ca } });
 * await fetch('https://origin.test/', { dispatcher });
 * ```
 *
 * It is an undici `ProxyAgent`, or an `EnvHttpProxyAgent` where no `uri` is given, and fails with
 * their errors: `RequestAbortedError` for a proxy that refuses (status 407 for wrong credentials),
 * `SecureProxyConnectionError` for an `https:` proxy with a certificate of another name,
 * `ProxyConnectionError` for one that hangs up instead of answering, `ConnectTimeoutError` for one
 * that does not answer.
 *
 * @throws undici's `InvalidArgumentError`, also for proxies that are neither `http:` nor `https:`;
 *   `ERR_AWS_LC_CONFIG_*` for TLS options that cannot work
 */
export function createProxyAgent(options: ProxyAgentOptions | string | URL = {}): Dispatcher {
  const {
    uri,
    requestTls,
    proxyTls,
    allowCleartext = false,
    ...rest
  } = typeof options === 'string' || options instanceof URL ? { uri: options } : options;
  if ('connect' in rest) {
    throw new errors.InvalidArgumentError('connect: give requestTls and proxyTls instead');
  }
  const proxies = proxyAddresses(uri, rest);
  const timeout = rest.connectTimeout;
  const originOptions = { timeout, ...requestTls, allowCleartext };
  const proxyOptions = { timeout, ...proxyTls, allowCleartext: true };
  const toOrigin = createConnector(originOptions);
  const toProxy = createConnector(proxyOptions);
  const forwarding = namingTheProxy(createConnector({ ...proxyOptions, allowH2: false }));
  const tunnelSettings = readOptions(originOptions);

  const makeClient = rest.clientFactory ?? makePool;
  const makeDispatcher = rest.factory ?? makeDefault;
  const shared = {
    ...rest,
    // What undici reads of it: the name to ask an `https:` proxy for.
    proxyTls: { servername: proxyOptions.servername },
    // Without a tunnel there is nothing to tell what leaves in plaintext from what does not.
    proxyTunnel: allowCleartext ? rest.proxyTunnel : true,
    clientFactory: (origin: URL, given: object) =>
      makeClient(origin, { ...given, connect: toProxy }),
    factory: (origin: string | URL, given: object) => {
      const { connect } = given as { connect: buildConnector.connector };
      if (connect === toOrigin) {
        return makeDispatcher(origin, given);
      }
      const isProxy = proxies.has(String(origin));
      return makeDispatcher(origin, {
        ...given,
        connect: isProxy ? forwarding : throughTunnel(connect, toOrigin, tunnelSettings),
      });
    },
  };
  return uri === undefined
    ? new EnvHttpProxyAgent({ ...shared, connect: toOrigin })
    : new ProxyAgent({ ...shared, uri: String(uri) });
}

/** The proxies that undici is going to use. */
function proxyAddresses(uri: string | URL | undefined, options: UndiciOptions): Set<string> {
  const { env } = process;
  const used =
    uri === undefined
      ? [
          options.httpProxy ?? env['http_proxy'] ?? env['HTTP_PROXY'],
          options.httpsProxy ?? env['https_proxy'] ?? env['HTTPS_PROXY'],
        ]
      : [uri];
  const addresses = used.filter((address) => address).map((address) => new URL(address!));
  for (const { protocol } of addresses) {
    // undici has SOCKS proxies too, but speaks TLS through them itself.
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new errors.InvalidArgumentError(`A proxy must be http: or https:, not ${protocol}`);
    }
  }
  return new Set(addresses.map(({ href }) => href));
}

/** undici would try a name mismatch again and again, were it not told that it is the proxy's. */
function namingTheProxy(connect: buildConnector.connector): buildConnector.connector {
  return (call, callback) => {
    connect(call, (error: Error | null, socket: unknown) => {
      const args = [error && secureProxyError(error), socket] as Parameters<typeof callback>;
      callback(...args);
    });
  };
}

function makePool(origin: string | URL, options: object): Dispatcher {
  return new Pool(origin, options);
}

function makeDefault(origin: string | URL, options: Agent.Options): Dispatcher {
  return options.connections === 1 ? new Client(origin, options) : new Pool(origin, options);
}
