import type { KernelCipher } from '@node-aws-lc/native';
import type { HostFiles } from './host-files';

/** What the kernel's crypto API uses for kernel TLS. */
export interface KernelCrypto {
  /** Whether the kernel is in FIPS mode, which has no ChaCha20-Poly1305. */
  readonly fips: boolean;
  /** Whether the processor has instructions for AES. */
  readonly aesInstructions: boolean;
  /** By cipher, the implementation that has the highest priority; those that nobody has used yet are not there. */
  readonly drivers: Readonly<Partial<Record<KernelCipher, string>>>;
}

/** The AEADs' names in `/proc/crypto`. */
const ALGORITHMS: Record<KernelCipher, string> = {
  'AES-128-GCM': 'gcm(aes)',
  'AES-256-GCM': 'gcm(aes)',
  'CHACHA20-POLY1305': 'rfc7539(chacha20,poly1305)',
};

export function kernelCrypto(files: HostFiles): KernelCrypto {
  const entries = (files.read('/proc/crypto') ?? '').split('\n\n').map(parse);
  const drivers: Partial<Record<KernelCipher, string>> = {};
  for (const [cipher, algorithm] of Object.entries(ALGORITHMS) as [KernelCipher, string][]) {
    const [best] = entries
      // Parts of others, which nobody gets by asking.
      .filter(({ name, internal }) => name === algorithm && internal !== 'yes')
      .sort((a, b) => Number(b['priority']) - Number(a['priority']));
    if (best?.['driver'] !== undefined) drivers[cipher] = best['driver'];
  }
  return {
    fips: files.read('/proc/sys/crypto/fips_enabled')?.trim() === '1',
    aesInstructions: /^(flags|Features)\s*:.*\baes\b/m.test(files.read('/proc/cpuinfo') ?? ''),
    drivers,
  };
}

function parse(entry: string): Record<string, string> {
  return Object.fromEntries(
    entry.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/\s*:\s(.*)/);
      return [name, value.trim()];
    }),
  );
}
