import { TrustStore } from '@node-aws-lc/native';
import { defaultTrust } from '../verify/default-trust';
import { toBoolean } from './checks';
import { explain } from './context';
import { readOption, toCertificates, toList, toRevocationLists } from './material';
import type { CommonOptions } from './options';

/** What peers are verified against. */
export interface Trust {
  /** Whether `ca` or `caFile` is given: these roots and no others. */
  readonly isOwn: boolean;
  /** Everything that the user named, to tell one trust from another. */
  readonly named: Buffer[];
  readonly partialChain: boolean;
  /** @param alsoTrusted further certificates */
  build(alsoTrusted: Buffer[]): TrustStore;
}

function toRoots(options: CommonOptions): Buffer[] | undefined {
  const { caFile } = options;
  // null is what untyped callers have where there is none.
  const ca: unknown = options.ca ?? undefined;
  if (ca === undefined && caFile === undefined) return undefined;
  const materials = ca === undefined ? [] : toList(ca);
  const roots = materials.flatMap((entry) => toCertificates(entry, 'ca', 'ERR_AWS_LC_CONFIG_CA'));
  if (caFile !== undefined) {
    roots.push(...toCertificates(readOption(caFile, 'caFile'), 'caFile', 'ERR_AWS_LC_CONFIG_CA'));
  }
  return roots;
}

/**
 * Reads `ca`, `caFile`, `crl` and `allowPartialTrustChain`.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_CA, …_CRL, …_PEM, …_FILE, …_TYPE
 */
export function toTrust(options: CommonOptions): Trust {
  const roots = toRoots(options);
  const crls = toRevocationLists(options.crl);
  const partialChain = toBoolean('allowPartialTrustChain', options.allowPartialTrustChain, false);
  return {
    isOwn: roots !== undefined,
    named: [...(roots ?? []), ...crls],
    partialChain,
    build(alsoTrusted) {
      const isDefault = roots === undefined && crls.length === 0 && !partialChain;
      if (isDefault && alsoTrusted.length === 0) return defaultTrust();
      try {
        return new TrustStore({
          base: roots === undefined ? defaultTrust() : undefined,
          certificates: [...(roots ?? []), ...alsoTrusted],
          crls,
          partialChain,
        });
      } catch (error) {
        throw explain(error as Error);
      }
    },
  };
}
