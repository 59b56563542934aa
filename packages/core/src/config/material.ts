import { readFileSync } from 'node:fs';
import { ConfigError, type ConfigErrorCode } from '../errors';
import { isPem, parsePem } from './pem';

/** Bytes of a Material, or a ConfigError that names the option. */
export function toBytes(material: unknown, option: string): Uint8Array {
  if (typeof material === 'string') return Buffer.from(material);
  if (ArrayBuffer.isView(material)) {
    return new Uint8Array(material.buffer, material.byteOffset, material.byteLength);
  }
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_TYPE',
    option,
    'expected a string, Buffer or Uint8Array',
  );
}

/** One value, or several. */
export function toList<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/** The contents of a file that an option names. */
export function readOption(path: unknown, option: string): Buffer {
  if (typeof path !== 'string') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', option, 'expected a path');
  }
  refuseContents(path, option);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_FILE', option, (cause as Error).message, cause);
  }
}

/**
 * Refuses the contents of a file where its path is expected: the file system's error would quote a private key.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_TYPE
 */
export function refuseContents(path: string, option: string): void {
  if (!path.includes('-----BEGIN ')) return;
  const detail = 'expected the path of a PEM file, and these are its contents';
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', option, detail);
}

/** A passphrase, or undefined. */
export function toPassphrase(value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'passphrase', 'expected a string');
}

/** Refuses what is not one whole DER SEQUENCE (X.690, section 8.1.3), in words that AWS-LC has not. */
export function checkDer(bytes: Uint8Array, option: string, code: ConfigErrorCode): void {
  const [tag, first = 0x80] = bytes;
  if (tag !== 0x30) throw new ConfigError(code, option, 'neither PEM nor DER');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = lengthBytes === 0 ? first : 0;
  for (const byte of bytes.subarray(2, 2 + lengthBytes)) length = length * 256 + byte;
  const excess = bytes.length - 2 - lengthBytes - length;
  if (excess > 0) throw new ConfigError(code, option, `${excess} bytes follow the DER`);
  if (excess < 0) throw new ConfigError(code, option, 'the DER is cut short');
}

/** What a piece of material may hold. */
interface Kind {
  labels: string[];
  /** In words, for errors. */
  name: string;
  code: ConfigErrorCode;
}

const CERTIFICATE: Omit<Kind, 'code'> = {
  labels: ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'],
  name: 'certificate',
};
const REVOCATION_LIST: Kind = {
  labels: ['X509 CRL'],
  name: 'revocation list',
  code: 'ERR_AWS_LC_CONFIG_CRL',
};

function toDer(material: unknown, option: string, { labels, name, code }: Kind): Buffer[] {
  const bytes = toBytes(material, option);
  if (!isPem(bytes)) {
    checkDer(bytes, option, code);
    return [Buffer.from(bytes)];
  }
  const blocks = parsePem(Buffer.from(bytes).toString('latin1'), option);
  const wanted = blocks.filter((block) => labels.includes(block.label));
  if (wanted.length === 0) throw new ConfigError(code, option, `the PEM holds no ${name}`);
  return wanted.map((block) => block.der);
}

/** The DER certificates in one piece of material, PEM or DER. */
export function toCertificates(material: unknown, option: string, code: ConfigErrorCode): Buffer[] {
  return toDer(material, option, { ...CERTIFICATE, code });
}

/** The revocation lists of `crl` in DER (RFC 5280, section 5). */
export function toRevocationLists(crl: unknown): Buffer[] {
  if (crl === undefined || crl === null) return [];
  return toList(crl).flatMap((entry) => toDer(entry, 'crl', REVOCATION_LIST));
}
