import { constants } from 'node:crypto';
import { ConfigError } from '../errors';

/**
 * Options of `node:tls` that AWS-LC or this version does not offer and that must not be ignored in silence, because
 * whoever sets them relies on them.
 */
const UNSUPPORTED: Record<string, string> = {
  pskCallback: 'AWS-LC has no pre-shared keys in TLS 1.3',
  secureContext: 'give the options that it was made of',
  secureProtocol: 'use minVersion and maxVersion',
  clientCertEngine: 'AWS-LC has no engines',
  privateKeyEngine: 'AWS-LC has no engines',
};

/** Refuses what cannot be honoured. */
export function refuseUnsupported(options: object): void {
  for (const [name, advice] of Object.entries(UNSUPPORTED)) {
    if ((options as Record<string, unknown>)[name] !== undefined) {
      throw new ConfigError('ERR_AWS_LC_CONFIG_UNSUPPORTED', name, advice);
    }
  }
}

/** Switches of OpenSSL that say what AWS-LC does anyhow, or that permit what it never needs. */
const REDUNDANT_OPTIONS =
  constants.SSL_OP_ALL |
  constants.SSL_OP_LEGACY_SERVER_CONNECT |
  constants.SSL_OP_NO_SSLv2 |
  constants.SSL_OP_NO_SSLv3 |
  constants.SSL_OP_NO_COMPRESSION |
  constants.SSL_OP_NO_RENEGOTIATION |
  constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION |
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE;

/** Versions by the switch that turns each off. */
const VERSION_OPTIONS: [bit: number, version: number][] = [
  [constants.SSL_OP_NO_TLSv1, 0x0301],
  [constants.SSL_OP_NO_TLSv1_1, 0x0302],
  [constants.SSL_OP_NO_TLSv1_2, 0x0303],
  [constants.SSL_OP_NO_TLSv1_3, 0x0304],
];

const KNOWN_OPTIONS = VERSION_OPTIONS.reduce(
  (bits, [bit]) => bits | bit,
  REDUNDANT_OPTIONS | constants.SSL_OP_NO_TICKET,
);

/** What `secureOptions` asks for. */
export interface Switches {
  /** SSL_OP_NO_TICKET */
  noTickets: boolean;
  /** SSL_OP_NO_TLSv1 and those like it, by the versions' numbers. */
  disabledVersions: number[];
}

/**
 * Reads `secureOptions`.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_TYPE, ERR_AWS_LC_CONFIG_UNSUPPORTED
 */
export function toSwitches(value: unknown): Switches {
  if (value === undefined) return { noTickets: false, disabledVersions: [] };
  if (!Number.isInteger(value)) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_TYPE',
      'secureOptions',
      'expected bits of crypto.constants.SSL_OP_*',
    );
  }
  const given = value as number;
  const bits = given & ~KNOWN_OPTIONS;
  if (bits !== 0) {
    const detail = `AWS-LC does not have OpenSSL's switch 0x${(bits >>> 0).toString(16)}`;
    throw new ConfigError('ERR_AWS_LC_CONFIG_UNSUPPORTED', 'secureOptions', detail);
  }
  return {
    noTickets: (given & constants.SSL_OP_NO_TICKET) !== 0,
    disabledVersions: VERSION_OPTIONS.filter(([bit]) => (given & bit) !== 0).map(([, v]) => v),
  };
}

/** Refuses what is no object of options at all. */
export function requireObject(options: unknown): void {
  if (options === null || typeof options !== 'object') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'options', 'expected an object');
  }
}

/** A boolean option, or its default. */
export function toBoolean(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', name, 'expected a boolean');
}

/** A session to resume, or undefined. Whether it can be resumed shows when it is offered. */
export function toSession(value: unknown): Buffer | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'session', 'expected a Buffer from getSession()');
}

/** Seconds that sessions can be resumed for; undefined or 0 is libssl's own time. */
export function toSessionTimeout(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) {
    return value as number;
  }
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'sessionTimeout', 'expected whole seconds');
}

/** What sessions are bound to beside what the library binds them to. */
export function toOwnSessionContext(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'sessionIdContext', 'expected a string');
}

/** Default time a handshake may take, in milliseconds, as in `node:tls`. */
const DEFAULT_HANDSHAKE_TIMEOUT = 120_000;
/** The longest delay that Node's timers keep. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** A handshake time-out in milliseconds, or its default. */
export function toHandshakeTimeout(value: unknown, fallback = DEFAULT_HANDSHAKE_TIMEOUT): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT) return value;
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_TYPE',
    'handshakeTimeout',
    'expected milliseconds above zero',
  );
}
