import { readPkcs12, type NativeKey, type Pkcs12Contents } from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { toBytes, toList, toPassphrase } from './material';
import type { CommonOptions, Material, PfxWithPassphrase } from './options';

/** What the files of `pfx` hold. */
export interface PfxContents {
  keys: NativeKey[];
  /** One for each key: its certificate and the issuers that are there, roots excepted. */
  chains: Buffer[][];
  /** Certificates beside the chains, roots as a rule. */
  others: Buffer[];
}

function read(data: Uint8Array, passphrase: string | undefined): Pkcs12Contents {
  try {
    return readPkcs12(data, passphrase);
  } catch (cause) {
    const reason = (cause as { reason?: string }).reason ?? '';
    if (reason !== 'INCORRECT_PASSWORD') {
      throw new ConfigError('ERR_AWS_LC_CONFIG_PFX', 'pfx', 'it is no PKCS #12', cause);
    }
    const detail =
      passphrase === undefined ? 'it has a passphrase and none is given' : 'wrong passphrase';
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_PASSPHRASE',
      'passphrase',
      `pfx: ${detail}`,
      cause,
      'mac verify failure',
    );
  }
}

function isWrapped(entry: unknown): entry is PfxWithPassphrase {
  return typeof entry === 'object' && entry !== null && 'buf' in entry;
}

/**
 * Reads `pfx` (PKCS #12, RFC 7292) in the forms that `node:tls` takes.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_PFX, …_PASSPHRASE, …_TYPE
 */
export function toPfxContents(options: CommonOptions): PfxContents {
  const { passphrase } = options;
  const pfx = options.pfx ?? undefined;
  const contents: PfxContents = { keys: [], chains: [], others: [] };
  if (pfx === undefined) return contents;
  for (const entry of toList<Material | PfxWithPassphrase>(pfx)) {
    const wrapped = isWrapped(entry);
    const secret = toPassphrase(wrapped ? (entry.passphrase ?? passphrase) : passphrase);
    const { key, chain, others } = read(toBytes(wrapped ? entry.buf : entry, 'pfx'), secret);
    if (key === undefined || chain.length === 0) {
      const missing = key === undefined ? 'private key' : 'certificate of its key';
      const reason = 'Unable to load private key from PFX data';
      throw new ConfigError(
        'ERR_AWS_LC_CONFIG_PFX',
        'pfx',
        `it holds no ${missing}`,
        undefined,
        reason,
      );
    }
    contents.keys.push({ key, keyIsPem: false });
    contents.chains.push(chain);
    contents.others.push(...others);
  }
  return contents;
}
