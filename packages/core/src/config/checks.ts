import { constants } from 'node:crypto';
import { ConfigError } from '../errors';

/**
 * Options of `node:tls` that AWS-LC or this version does not offer and that must not be ignored in silence, because
 * whoever sets them relies on them.
 */
const UNSUPPORTED: Record<string, string> = {
  pskCallback: 'AWS-LC has no pre-shared keys in TLS 1.3',
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

/** Switches of OpenSSL that say what AWS-LC does anyhow. */
const REDUNDANT_OPTIONS =
  constants.SSL_OP_NO_SSLv2 |
  constants.SSL_OP_NO_SSLv3 |
  constants.SSL_OP_NO_COMPRESSION |
  constants.SSL_OP_NO_RENEGOTIATION |
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE;

/** What `secureOptions` asks for: of OpenSSL's switches only SSL_OP_NO_TICKET means something here. */
export function toNoTickets(value: unknown): boolean {
  if (value === undefined) return false;
  if (!Number.isInteger(value)) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_TYPE',
      'secureOptions',
      'expected bits of crypto.constants.SSL_OP_*',
    );
  }
  const bits = (value as number) & ~REDUNDANT_OPTIONS & ~constants.SSL_OP_NO_TICKET;
  if (bits !== 0) {
    const detail = `of OpenSSL's switches AWS-LC has SSL_OP_NO_TICKET, not 0x${(bits >>> 0).toString(16)}`;
    throw new ConfigError('ERR_AWS_LC_CONFIG_UNSUPPORTED', 'secureOptions', detail);
  }
  return ((value as number) & constants.SSL_OP_NO_TICKET) !== 0;
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
