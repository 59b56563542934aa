import { constants } from 'node:os';
import type { KernelCipher, NativeCipherProbe } from '@node-aws-lc/native';
import { canRekey, isReceivePathSafe, parseRelease, receivePathMendedIn } from '../ktls/kernel';
import type { HostFacts } from './host-facts';
import type { Place } from './place';

/** What is worth telling about a host, by key; `advice.ts` has the words. Errors are negated errnos. */
export type Finding =
  /** TCP does not work over loopback. */
  | { key: 'loopback'; error: number }
  /** The `tls` module is not loaded, and this process could have it loaded, or ask somebody on this host. */
  | { key: 'module-missing'; place: Place['kind']; netAdmin: boolean | null }
  /** It is not loaded, and the kernel takes no modules until it is booted again. */
  | { key: 'module-loading-disabled' }
  /** It is not loaded, and this kernel's installed modules have none of that name. */
  | { key: 'kernel-without-tls'; release: string }
  /** The system call is denied. */
  | { key: 'attach-denied'; error: number; watchers: string[] }
  /** The kernel, or what stands in for one, does not know the socket option. */
  | { key: 'attach-unknown'; error: number; release: string }
  | { key: 'attach-failed'; error: number }
  /** The kernel lacks a cipher's module. */
  | { key: 'cipher-module'; cipher: KernelCipher; place: Place['kind'] }
  /** The kernel is in FIPS mode, which does not have the cipher. */
  | { key: 'cipher-fips'; cipher: KernelCipher }
  /** The kernel is older than its support of the cipher. */
  | { key: 'cipher-unknown'; cipher: KernelCipher; release: string }
  | { key: 'cipher-failed'; cipher: KernelCipher; error: number }
  /** The receive path has known defects. */
  | { key: 'receive-path'; release: string; upstream: string; mendedIn: string | undefined }
  /** A peer's KeyUpdate cannot be followed. */
  | { key: 'no-rekey'; release: string }
  /** AES without the processor's instructions for it. */
  | { key: 'cipher-in-software'; driver: string }
  /** The module will not be there after the next boot. */
  | { key: 'module-not-kept' }
  /** The kernel could not decrypt records. */
  | { key: 'decrypt-errors'; count: number }
  /** Key changes failed in the kernel. */
  | { key: 'rekey-errors'; count: number };

const { ENOENT, EPERM, EACCES, ENOPROTOOPT, EOPNOTSUPP, ENOSYS, EINVAL } = constants.errno;

/** Whether the kernel does what a host can do for TLS at all. */
export function canAttach({ probe }: HostFacts): boolean {
  return probe.connectError === 0 && probe.attachError === 0;
}

/** The ciphers that the kernel takes keys of, in both directions. */
export function acceptedCiphers({ probe }: HostFacts): KernelCipher[] {
  return probe.ciphers
    .filter(({ txError, rxError }) => txError === 0 && rxError === 0)
    .map(({ name }) => name);
}

/** Whether the kernel was seen to change the keys of a connection. */
export function canChangeKeys({ probe, kernel }: HostFacts): boolean {
  const changed = probe.ciphers.some(
    ({ txError, rekeyError }) => txError === 0 && rekeyError === 0,
  );
  return changed && canRekey(parseRelease(kernel.upstream));
}

/** Judges what there is; the worst comes first. */
export function findingsOf(facts: HostFacts): Finding[] {
  if (!canAttach(facts)) return [whyNoAttach(facts)];
  const { probe, kernel, statistics, module, place, crypto } = facts;
  const findings = probe.ciphers.flatMap((cipher) => cipherFindings(facts, cipher));
  const release = parseRelease(kernel.upstream);
  if (!isReceivePathSafe(release)) {
    findings.push({ key: 'receive-path', ...kernel, mendedIn: receivePathMendedIn(release) });
  }
  if (!canChangeKeys(facts)) findings.push({ key: 'no-rekey', release: kernel.release });
  const aes = crypto.drivers['AES-128-GCM'];
  if (crypto.aesInstructions && aes?.includes('aes-generic')) {
    findings.push({ key: 'cipher-in-software', driver: aes });
  }
  if (module.state === 'loaded' && !module.loadedAtBoot && place.kind === 'host') {
    findings.push({ key: 'module-not-kept' });
  }
  const decryptErrors = statistics?.['TlsDecryptError'] ?? 0;
  if (decryptErrors > 0) findings.push({ key: 'decrypt-errors', count: decryptErrors });
  const rekeyErrors =
    (statistics?.['TlsTxRekeyError'] ?? 0) + (statistics?.['TlsRxRekeyError'] ?? 0);
  if (rekeyErrors > 0) findings.push({ key: 'rekey-errors', count: rekeyErrors });
  return findings;
}

function whyNoAttach({ probe, kernel, module, place, privileges }: HostFacts): Finding {
  if (probe.connectError !== 0) return { key: 'loopback', error: probe.connectError };
  const error = probe.attachError;
  switch (-error) {
    case ENOENT:
      if (module.state === 'absent') {
        return { key: 'kernel-without-tls', release: kernel.release };
      }
      if (module.loadingDisabled) return { key: 'module-loading-disabled' };
      return { key: 'module-missing', place: place.kind, netAdmin: privileges.netAdmin };
    case EPERM:
    case EACCES:
      return { key: 'attach-denied', error, watchers: watchersOf(privileges) };
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENOSYS:
      return { key: 'attach-unknown', error, release: kernel.release };
    default:
      return { key: 'attach-failed', error };
  }
}

function watchersOf({ seccomp, confinement }: HostFacts['privileges']): string[] {
  return [
    ...(seccomp ? ['a seccomp filter'] : []),
    ...(confinement === undefined ? [] : [`the security profile ${confinement}`]),
  ];
}

function cipherFindings(facts: HostFacts, probe: NativeCipherProbe): Finding[] {
  const { kernel, place, crypto } = facts;
  const { name: cipher, txError, rxError } = probe;
  const error = txError === 0 ? rxError : txError;
  switch (-error) {
    case 0:
      return [];
    case ENOENT:
      if (crypto.fips && cipher === 'CHACHA20-POLY1305') return [{ key: 'cipher-fips', cipher }];
      return [{ key: 'cipher-module', cipher, place: place.kind }];
    case EINVAL:
    case ENOPROTOOPT:
      return [{ key: 'cipher-unknown', cipher, release: kernel.release }];
    default:
      return [{ key: 'cipher-failed', cipher, error }];
  }
}
