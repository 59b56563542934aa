import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ServerConfig } from '../config/server-config';
import { ConfigError } from '../errors';

/** Where the parts of a pair lie: PEM files. */
export interface CertificatePaths {
  /** The private key. */
  key: string;
  /** The certificate chain, leaf first. */
  cert: string;
  /** Roots to verify peers against. */
  ca?: string | undefined;
}

/** What was read of them, as the configurations take it. */
export interface CertificateMaterial {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca?: Buffer;
  readonly passphrase?: string;
}

/** Reads a pair. */
export async function readPair(
  paths: CertificatePaths,
  passphrase?: string,
): Promise<CertificateMaterial> {
  const read = async (option: string, path: string): Promise<Buffer> => {
    try {
      return await readFile(path);
    } catch (cause) {
      throw unreadable(option, cause);
    }
  };
  // One after the other: of several that are missing it is always the same one that is complained of.
  const key = await read('key', paths.key);
  const cert = await read('cert', paths.cert);
  const ca = paths.ca === undefined ? undefined : await read('ca', paths.ca);
  return toMaterial(key, cert, ca, passphrase);
}

/** The same, where a process that starts needs it at once. */
export function readPairSync(paths: CertificatePaths, passphrase?: string): CertificateMaterial {
  const read = (option: string, path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw unreadable(option, cause);
    }
  };
  const ca = paths.ca === undefined ? undefined : read('ca', paths.ca);
  return toMaterial(read('key', paths.key), read('cert', paths.cert), ca, passphrase);
}

function toMaterial(
  key: Buffer,
  cert: Buffer,
  ca: Buffer | undefined,
  passphrase: string | undefined,
): CertificateMaterial {
  return {
    key,
    cert,
    ...(ca === undefined ? {} : { ca }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

function unreadable(option: string, cause: unknown): ConfigError {
  return new ConfigError('ERR_AWS_LC_CONFIG_FILE', option, (cause as Error).message, cause);
}

/**
 * Refuses a pair that no peer could be served with: parts that cannot be parsed or do not belong together, and
 * certificates outside their time.
 *
 * @throws ConfigError
 */
export function checkPair(material: CertificateMaterial): void {
  // Thrown away: key and certificate are judged by what will use them.
  new ServerConfig(material);
  const { validFrom, validTo } = new X509Certificate(material.cert);
  const now = Date.now();
  if (Date.parse(validTo) < now) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CERT', 'cert', `it expired on ${validTo}`);
  }
  if (Date.parse(validFrom) > now) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CERT', 'cert', `it is not valid before ${validFrom}`);
  }
}

/** Whether two readings are of the same contents. */
export function isSamePair(a: CertificateMaterial, b: CertificateMaterial): boolean {
  const isSame = (x?: Buffer, y?: Buffer): boolean =>
    x === undefined || y === undefined ? x === y : x.equals(y);
  return isSame(a.key, b.key) && isSame(a.cert, b.cert) && isSame(a.ca, b.ca);
}
