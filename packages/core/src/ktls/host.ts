import { release } from 'node:os';
import { adviceOn } from '../doctor/advice';
import { acceptedCiphers, canChangeKeys, findingsOf } from '../doctor/findings';
import { hostFacts } from '../doctor/host-facts';
import { hasKernelTls, isReceivePathSafe } from './kernel';

/**
 * Whether this kernel has TLS, built in or as a module that is loaded: whether `/proc/net/tls_stat` is there
 * (Documentation/networking/tls.rst). Has no side effect; a module that would load on demand is not seen.
 */
export function hostKtlsAvailable(): boolean {
  return hasKernelTls();
}

/** What a host can do for TLS in the kernel. */
export interface HostKtls {
  /** Whether a connection can be moved into the kernel. */
  readonly available: boolean;
  /** The kernel's release, as `uname -r` prints it. */
  readonly kernel: string;
  /** The ciphers that the kernel accepted in both directions: `AES-128-GCM`, `AES-256-GCM`, `CHACHA20-POLY1305`. */
  readonly ciphers: readonly string[];
  /** Whether keys can be changed on a connection (KeyUpdate, RFC 8446, section 4.6.3): Linux 6.14. */
  readonly rekey: boolean;
  /** Whether the receive path is free of its known defects, so that it is used without `ignoreKernelFloor`. */
  readonly rxFloor: boolean;
  /** What is worth doing or knowing, in words: `npx node-aws-lc doctor` prints the same. */
  readonly advice: readonly string[];
}

/**
 * Tries kernel TLS out on a loopback connection. That may make the kernel load its `tls` module and the ciphers'.
 */
export function hostKtls(): HostKtls {
  if (process.platform !== 'linux') {
    return {
      available: false,
      kernel: release(),
      ciphers: [],
      rekey: false,
      rxFloor: false,
      advice: [`kernel TLS exists on Linux only, this is ${process.platform}`],
    };
  }
  const facts = hostFacts();
  const ciphers = acceptedCiphers(facts);
  return {
    available: ciphers.length > 0,
    kernel: facts.kernel.release,
    ciphers,
    rekey: canChangeKeys(facts),
    rxFloor: isReceivePathSafe(),
    advice: findingsOf(facts).map((finding) => adviceOn(finding)),
  };
}
