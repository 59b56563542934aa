import * as http from 'node:http';
import type * as net from 'node:net';
import { ConfigError } from '../errors';

/** Options of the listener that redirects from `http:` to `https:`. */
export interface RedirectHttpOptions {
  /** Where to listen, usually 80. */
  port: number;
  /** The address to listen on. Default: each that the server itself listens on. */
  host?: string | undefined;
  /** The port in the address that clients are sent to. Default: the one that the server listens on. */
  httpsPort?: number | undefined;
  /**
   * The host names and addresses that clients are redirected to; a request for another one is
   * answered with 400. Default: whatever the server's certificates name.
   */
  hosts?: string[] | undefined;
}

/** What the redirects depend on. */
export interface RedirectTarget {
  /** Whether the server answers to this name, lower case, without brackets around an IPv6 address. */
  isServed(hostname: string): boolean;
  /** The port that the server listens on; `undefined` before it does, or on a Unix socket. */
  port(): number | undefined;
}

/** How long a client may take to ask, in ms: there is nothing to wait for. */
const PATIENCE = 5000;
/** Bytes of headers that are read. */
const MAX_HEADER_SIZE = 8192;

/**
 * RFC 9110, section 7.2 and RFC 3986, section 3.2.2, less what no certificate names: a host name, an
 * IPv4 address or an IPv6 address, and perhaps a port. No user information, no escapes.
 */
const HOST = /^(?:([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?|\[([0-9a-f:.]+)\])(?::[0-9]{1,5})?$/i;

/** @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE` */
export function checkRedirect(options: RedirectHttpOptions | undefined): void {
  if (options === undefined) return;
  const { port } = options as { port: unknown };
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'redirectHttp.port', 'expected a port');
}

/**
 * A server in plain HTTP that knows one answer: 308 to the same path over `https:` (RFC 9110,
 * section 15.4.9), to a name that is ours. The `Host` header is the client's to choose, so where it
 * names somebody else the answer is 400, without an address that it could be led to.
 */
export function redirectServer(options: RedirectHttpOptions, target: RedirectTarget): http.Server {
  const settings = {
    headersTimeout: PATIENCE,
    requestTimeout: PATIENCE,
    connectionsCheckingInterval: PATIENCE,
    maxHeaderSize: MAX_HEADER_SIZE,
  };
  const server = http.createServer(settings, (request, response) => {
    const location = locationOf(request, options, target);
    response.setHeader('Connection', 'close');
    response.setHeader('Content-Length', 0);
    if (location !== undefined) response.setHeader('Location', location);
    response.writeHead(location === undefined ? 400 : 308).end();
  });
  server.setTimeout(PATIENCE);
  return server;
}

function locationOf(
  { headers, headersDistinct, url }: http.IncomingMessage,
  { hosts, httpsPort }: RedirectHttpOptions,
  target: RedirectTarget,
): string | undefined {
  // RFC 9112, section 3.2: more than one is a bad request. node:http has taken the first.
  if (headersDistinct.host?.length !== 1) return undefined;
  const [, name, address] = HOST.exec(headers.host ?? '') ?? [];
  const hostname = (name ?? address)?.toLowerCase();
  const path = pathOf(url as string);
  if (hostname === undefined || path === undefined) return undefined;
  if (!(hosts ? hosts.includes(hostname) : target.isServed(hostname))) return undefined;
  const port = httpsPort ?? target.port() ?? 443;
  const authority = address === undefined ? hostname : `[${hostname}]`;
  return `https://${authority}${port === 443 ? '' : `:${port}`}${path}`;
}

/** Path and query of a request target (RFC 9112, section 3.2); `undefined` if it has none. */
function pathOf(target: string): string | undefined {
  if (target.startsWith('/')) return target;
  const rest = /^http:\/\/[^/?#]+(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Listens; resolves when it does, rejects when it cannot. */
export function opened(server: net.Server, options: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
