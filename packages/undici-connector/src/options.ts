import type { ClientConfigOptions } from '@node-aws-lc/core';
import type { BlockList, TcpNetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { errors } from 'undici';
import { acceptsUnauthorized } from './unauthorized';

/** The options of `net.connect` that choose how a TCP connection is made; see there. */
interface RouteOptions extends Pick<
  TcpNetConnectOpts,
  | 'autoSelectFamily'
  | 'autoSelectFamilyAttemptTimeout'
  | 'family'
  | 'hints'
  | 'localAddress'
  | 'localPort'
  | 'lookup'
> {
  /** Addresses never to connect to; of Node versions whose `net.connect` has it. */
  blockList?: BlockList;
  /** The IP header's type of service; of Node versions whose `net.connect` has it. */
  typeOfService?: number | null;
}

/** The options that {@link createConnector} reads itself; the rest configures TLS. */
interface ConnectOptions extends RouteOptions {
  /**
   * Offer HTTP/2 in ALPN. Default: what the client or agent was given, else what undici itself
   * does (version 7 does not, version 8 does). Where the client was told false, true is overruled:
   * so undici 8 asks for HTTP/1.1 where it needs it.
   */
  allowH2?: boolean | null;
  /** List `h2` before `http/1.1` in the ALPN offer, for servers that follow the client's order. */
  preferH2?: boolean;
  /**
   * Let `http:` origins through, in plaintext, by undici's own connector. Default false: they are
   * refused with `ERR_AWS_LC_CLEARTEXT`, so that a mistyped URL sends nothing in the clear.
   */
  allowCleartext?: boolean;
  /** Connect to this Unix socket instead of the origin's address. The name checked stays the origin's. */
  socketPath?: string | null;
  /** Another name for `socketPath`: `net.connect`'s. */
  path?: string | null;
  /**
   * Milliseconds for everything until the connection can be used: name lookup, TCP, handshake.
   * Default 10 000; 0 is no limit. As in undici, a process that is busy or gets no CPU lets it last.
   */
  timeout?: number | null;
  /** TCP keep-alive probes. Default true. */
  keepAlive?: boolean | null;
  /** Milliseconds of silence before the first keep-alive probe. Default 60 000. */
  keepAliveInitialDelay?: number | null;
  /** The name to send as SNI and to check, for requests that give none by their Host header. */
  servername?: string;
  /** Bytes of plaintext that a connection buffers in each direction. Default: Node's for streams. */
  highWaterMark?: number;
  /** Of how many origins sessions are kept for resumption. Default 100; 0 keeps none. */
  maxCachedSessions?: number | null;
}

/** What setTimeout can wait at most: a longer delay would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

type AlpnOptions = 'ALPNProtocols' | 'alpnProtocols';
type OwnOptions = ConnectOptions & Omit<ClientConfigOptions, keyof ConnectOptions | AlpnOptions>;

/**
 * Everything that undici's own connector takes, and everything of core's `ClientConfigOptions`.
 * An option of `tls.connect` that neither knows is accepted and ignored, and so is `ALPNProtocols`,
 * which follows `allowH2`. What it would be unsafe to ignore (`secureContext`, `pskCallback` and the
 * like) is refused. An option that is null is one that is not given.
 */
export type ConnectorOptions = OwnOptions & Omit<ConnectionOptions, keyof OwnOptions>;

/** {@link ConnectorOptions}, checked, with defaults, and apart by who needs them. */
export interface Settings {
  readonly tls: ClientConfigOptions;
  readonly route: RouteOptions & { keepAlive: boolean; keepAliveInitialDelay: number };
  readonly socketPath: string | undefined;
  readonly servername: string | undefined;
  readonly timeout: number;
  readonly highWaterMark: number | undefined;
  readonly maxCachedSessions: number;
  readonly allowH2: boolean | undefined;
  readonly http2Offer: string[];
  readonly allowCleartext: boolean;
}

/**
 * Checks the connector's own options and fills in defaults.
 *
 * @throws undici's `InvalidArgumentError` for what undici's connector would refuse too
 */
export function readOptions(options: ConnectorOptions): Settings {
  if ((options as unknown) === null || typeof options !== 'object') {
    throw new errors.InvalidArgumentError('options: expected an object');
  }
  const {
    allowCleartext,
    allowH2,
    preferH2,
    maxCachedSessions,
    socketPath,
    path,
    servername,
    timeout,
    highWaterMark,
    keepAlive,
    keepAliveInitialDelay,
    autoSelectFamily,
    autoSelectFamilyAttemptTimeout,
    blockList,
    family,
    hints,
    localAddress,
    localPort,
    lookup,
    typeOfService,
    ...tls
  } = withoutNulls(options);
  if (!isCount(maxCachedSessions ?? 0)) {
    throw new errors.InvalidArgumentError('maxCachedSessions must be a positive integer or zero');
  }
  if (!isDuration(timeout ?? 0)) {
    throw new errors.InvalidArgumentError('timeout must be a number of milliseconds, or zero');
  }
  return {
    tls: {
      // The connector's own timeout covers the handshake.
      handshakeTimeout: LONGEST_DELAY,
      ...tls,
      rejectUnauthorized: tls.rejectUnauthorized ?? !acceptsUnauthorized(),
      // ALPN follows allowH2: nothing else can be told to undici.
      ALPNProtocols: undefined,
      alpnProtocols: undefined,
    },
    route: {
      autoSelectFamily,
      autoSelectFamilyAttemptTimeout,
      blockList,
      family,
      hints,
      localAddress,
      localPort,
      lookup,
      typeOfService,
      keepAlive: keepAlive ?? true,
      keepAliveInitialDelay: keepAliveInitialDelay ?? 60_000,
    },
    socketPath: socketPath || path || undefined,
    servername: servername || undefined,
    timeout: timeout ?? 10_000,
    highWaterMark,
    // With a session of the user's, given for every connection, there is nothing to remember.
    maxCachedSessions: tls.session === undefined ? (maxCachedSessions ?? 100) : 0,
    allowH2: allowH2 ?? undefined,
    http2Offer: preferH2 ? ['h2', 'http/1.1'] : ['http/1.1', 'h2'],
    allowCleartext: allowCleartext ?? false,
  };
}

type WithoutNulls<T> = { [Name in keyof T]: Exclude<T[Name], null> };

/** undici and Node take null for an option that is not there, and so do the programs around them. */
function withoutNulls<T extends object>(options: T): WithoutNulls<T> {
  const given = Object.entries(options).filter(([, value]) => value !== null);
  return Object.fromEntries(given) as WithoutNulls<T>;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function isDuration(value: number): boolean {
  return typeof value === 'number' && value >= 0;
}
