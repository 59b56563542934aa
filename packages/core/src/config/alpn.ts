import { ConfigError } from '../errors';
import type { CommonOptions } from './options';

function encode(names: unknown[]): Buffer {
  const parts = names.map((name) => {
    const bytes = typeof name === 'string' ? Buffer.from(name) : undefined;
    if (bytes === undefined || bytes.length === 0 || bytes.length > 255) {
      throw new ConfigError(
        'ERR_AWS_LC_CONFIG_ALPN',
        'ALPNProtocols',
        `a protocol name has 1 to 255 bytes, got ${JSON.stringify(name)}`,
      );
    }
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  return Buffer.concat(parts);
}

function checkWire(wire: Uint8Array): void {
  let offset = 0;
  while (offset < wire.length) {
    const length = wire[offset] as number;
    if (length === 0 || offset + 1 + length > wire.length) {
      throw new ConfigError(
        'ERR_AWS_LC_CONFIG_ALPN',
        'ALPNProtocols',
        'the wire format is malformed',
      );
    }
    offset += 1 + length;
  }
}

/**
 * ALPN protocols in wire format (RFC 7301, section 3.1), or undefined where none are given.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_ALPN, ERR_AWS_LC_CONFIG_CONFLICT
 */
export function toAlpn(
  options: Pick<CommonOptions, 'ALPNProtocols' | 'alpnProtocols'>,
): Buffer | undefined {
  if (options.ALPNProtocols !== undefined && options.alpnProtocols !== undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_CONFLICT',
      'alpnProtocols',
      '`ALPNProtocols` is given too',
    );
  }
  const protocols: unknown = options.ALPNProtocols ?? options.alpnProtocols;
  if (protocols === undefined || protocols === null) return undefined;
  let wire: Buffer;
  if (protocols instanceof Uint8Array) {
    checkWire(protocols);
    wire = Buffer.from(protocols);
  } else if (Array.isArray(protocols)) {
    wire = encode(protocols);
  } else {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_TYPE',
      'ALPNProtocols',
      'expected names or the wire format',
    );
  }
  if (wire.length > 65535) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_ALPN', 'ALPNProtocols', 'too long');
  }
  return wire.length > 0 ? wire : undefined;
}
