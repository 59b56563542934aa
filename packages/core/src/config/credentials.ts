import { readFileSync } from 'node:fs';
import type { NativeIdentity } from '@node-aws-lc/native';
import { ConfigError, type ConfigErrorCode } from '../errors';
import type { CommonOptions, KeyWithPassphrase, Material } from './options';
import { isPem, parsePem } from './pem';

const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'];

/** Bytes of a Material, or a ConfigError that names the option. */
function toBytes(material: unknown, option: string): Uint8Array {
  if (typeof material === 'string') return Buffer.from(material);
  if (material instanceof Uint8Array) return material;
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_TYPE',
    option,
    'expected a string, Buffer or Uint8Array',
  );
}

function readOption(path: unknown, option: string): Buffer {
  if (typeof path !== 'string') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', option, 'expected a path');
  }
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_FILE', option, (cause as Error).message, cause);
  }
}

/** Refuses what is not one whole DER SEQUENCE (X.690, section 8.1.3), in words that AWS-LC has not. */
function checkDer(bytes: Uint8Array, option: string, code: ConfigErrorCode): void {
  const [tag, first = 0x80] = bytes;
  if (tag !== 0x30) throw new ConfigError(code, option, 'neither PEM nor DER');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = lengthBytes === 0 ? first : 0;
  for (const byte of bytes.subarray(2, 2 + lengthBytes)) length = length * 256 + byte;
  const excess = bytes.length - 2 - lengthBytes - length;
  if (excess > 0) throw new ConfigError(code, option, `${excess} bytes follow the DER`);
  if (excess < 0) throw new ConfigError(code, option, 'the DER is cut short');
}

/** The DER certificates in one piece of material, PEM or DER. */
export function toCertificates(material: unknown, option: string, code: ConfigErrorCode): Buffer[] {
  const bytes = toBytes(material, option);
  if (!isPem(bytes)) {
    checkDer(bytes, option, code);
    return [Buffer.from(bytes)];
  }
  const blocks = parsePem(Buffer.from(bytes).toString('latin1'), option);
  const certificates = blocks.filter((block) => CERTIFICATE_LABELS.includes(block.label));
  if (certificates.length === 0) {
    throw new ConfigError(code, option, 'the PEM holds no certificate');
  }
  return certificates.map((block) => block.der);
}

/** The roots of `ca` and `caFile`, or undefined where neither is given. */
export function toRoots(options: CommonOptions): Buffer[] | undefined {
  const { ca, caFile } = options;
  if (ca === undefined && caFile === undefined) return undefined;
  const materials: unknown[] = ca === undefined ? [] : Array.isArray(ca) ? ca : [ca];
  const roots = materials.flatMap((entry) => toCertificates(entry, 'ca', 'ERR_AWS_LC_CONFIG_CA'));
  if (caFile !== undefined) {
    roots.push(...toCertificates(readOption(caFile, 'caFile'), 'caFile', 'ERR_AWS_LC_CONFIG_CA'));
  }
  return roots;
}

type NativeKey = Pick<NativeIdentity, 'key' | 'keyIsPem' | 'passphrase'>;

function toKey(
  // null is what untyped callers have where a key is missing.
  entry: Material | KeyWithPassphrase | null,
  passphrase: string | undefined,
  option: string,
): NativeKey {
  const wrapped = typeof entry === 'object' && entry !== null && !(entry instanceof Uint8Array);
  const own = wrapped ? entry.passphrase : undefined;
  const bytes = toBytes(wrapped ? entry.pem : entry, option);
  const secret = own ?? passphrase;
  if (secret !== undefined && typeof secret !== 'string') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'passphrase', 'expected a string');
  }
  if (!isPem(bytes)) {
    checkDer(bytes, option, 'ERR_AWS_LC_CONFIG_KEY');
    return { key: bytes, keyIsPem: false, passphrase: secret };
  }
  const blocks = parsePem(Buffer.from(bytes).toString('latin1'), option);
  const keys = blocks.filter((block) => block.label.endsWith('PRIVATE KEY'));
  const [key] = keys;
  if (key === undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_KEY', option, 'the PEM holds no private key');
  }
  if (keys.length > 1) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_KEY',
      option,
      'the PEM holds more than one private key',
    );
  }
  return { key: Buffer.from(key.text, 'latin1'), keyIsPem: true, passphrase: secret };
}

/**
 * The pairs of key and chain in the options, checked for their form; that a key belongs to its certificate is checked
 * when the context is built.
 */
export function toIdentities(options: CommonOptions): NativeIdentity[] {
  const { key, keyFile, cert, certFile, passphrase } = options;
  if (key !== undefined && keyFile !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'keyFile', '`key` is given too');
  }
  if (cert !== undefined && certFile !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'certFile', '`cert` is given too');
  }
  const keyOption = keyFile === undefined ? 'key' : 'keyFile';
  const certOption = certFile === undefined ? 'cert' : 'certFile';
  const keyMaterial = keyFile === undefined ? key : readOption(keyFile, 'keyFile');
  const certMaterial = certFile === undefined ? cert : readOption(certFile, 'certFile');
  if (keyMaterial === undefined && certMaterial === undefined) return [];
  if (certMaterial === undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_MISSING',
      'cert',
      'a private key needs its certificate',
    );
  }
  if (keyMaterial === undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_MISSING',
      'key',
      'a certificate needs its private key',
    );
  }
  const keys = (Array.isArray(keyMaterial) ? keyMaterial : [keyMaterial]).map((entry) =>
    toKey(entry, passphrase, keyOption),
  );
  const chains = (Array.isArray(certMaterial) ? certMaterial : [certMaterial]).map((entry) =>
    toCertificates(entry, certOption, 'ERR_AWS_LC_CONFIG_CERT'),
  );
  const [onlyKey] = keys;
  if (onlyKey === undefined || chains.length === 0) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_MISSING',
      onlyKey ? 'cert' : 'key',
      'the array is empty',
    );
  }
  if (keys.length === 1) return [{ ...onlyKey, certificates: chains.flat() }];
  if (keys.length !== chains.length) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_CONFLICT',
      'cert',
      `${keys.length} keys need as many chains, got ${chains.length}`,
    );
  }
  return keys.map((entry, i) => ({ ...entry, certificates: chains[i] as Buffer[] }));
}
