import { ConfigError } from '../errors';

/**
 * Options of `node:tls` that AWS-LC or this version does not offer and that must not be ignored in silence, because
 * whoever sets them relies on them.
 */
const UNSUPPORTED: Record<string, string> = {
  pfx: 'convert it to PEM (`openssl pkcs12`)',
  crl: 'revocation lists are not offered yet',
  SNICallback: 'certificates by server name are not offered yet',
  ALPNCallback: 'use ALPNProtocols',
  ticketKeys: 'ticket keys cannot be set yet',
  privateKey: 'keys that live elsewhere are not offered yet',
  pskCallback: 'AWS-LC has no pre-shared keys in TLS 1.3',
  sigalgs: 'signature algorithms cannot be set',
  secureProtocol: 'use minVersion and maxVersion',
  secureOptions: 'AWS-LC has no such switches',
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
