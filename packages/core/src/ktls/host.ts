import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { getSystemErrorName } from 'node:util';
import * as native from '@node-aws-lc/native';
import { canRekey, isReceivePathSafe } from './kernel';

const STATISTICS = '/proc/net/tls_stat';

/**
 * Whether this kernel has TLS, built in or as a module that is loaded: whether `/proc/net/tls_stat` is there
 * (Documentation/networking/tls.rst). Has no side effect; a module that would load on demand is not seen.
 */
export function hostKtlsAvailable(): boolean {
  return process.platform === 'linux' && existsSync(STATISTICS);
}

/** What a host can do for TLS in the kernel. */
export interface HostKtls {
  /** Whether a connection can be moved into the kernel. */
  readonly available: boolean;
  /** The kernel's release, as `uname -r` prints it. */
  readonly kernel: string;
  /** The ciphers that the kernel accepted: `AES-128-GCM`, `AES-256-GCM`, `CHACHA20-POLY1305`. */
  readonly ciphers: readonly string[];
  /** Whether keys can be changed on a connection (KeyUpdate, RFC 8446, section 4.6.3): Linux 6.14. */
  readonly rekey: boolean;
  /** Whether the receive path is free of its known defects, so that it is used without `ignoreKernelFloor`. */
  readonly rxFloor: boolean;
  /** What would make more of it possible, in words. */
  readonly advice: readonly string[];
}

/**
 * Tries kernel TLS out on a loopback connection. That may make the kernel load its `tls` module and the ciphers'.
 */
export function hostKtls(): HostKtls {
  const kernel = release();
  if (process.platform !== 'linux') {
    return {
      available: false,
      kernel,
      ciphers: [],
      rekey: false,
      rxFloor: false,
      advice: [`kernel TLS exists on Linux only, this is ${process.platform}`],
    };
  }
  const { attachError, ciphers: tried } = native.probeKernelTls();
  const ciphers = tried.filter(({ error }) => error === 0).map(({ name }) => name);
  const available = attachError === 0 && ciphers.length > 0;
  const rekey = available && canRekey();
  const rxFloor = isReceivePathSafe();
  const advice: string[] = [];
  if (attachError !== 0) advice.push(adviseOnAttach(attachError));
  for (const { name, error } of tried) {
    if (error !== 0) {
      advice.push(
        `${name} is refused (${getSystemErrorName(error)}): the kernel lacks the cipher's module`,
      );
    }
  }
  if (available && !rxFloor) {
    advice.push(
      `receiving stays in userspace on Linux ${kernel}: CVE-2025-39682 and CVE-2025-39946 are mended in 6.1.154, ` +
        '6.6.108, 6.12.49, 6.16.9 and 6.17; set ktls.ignoreKernelFloor if your distribution has mended them',
    );
  }
  if (available && !rekey) {
    advice.push(`a peer's KeyUpdate ends the connection on Linux ${kernel}: 6.14 can change keys`);
  }
  return { available, kernel, ciphers, rekey, rxFloor, advice };
}

function adviseOnAttach(error: number): string {
  const name = getSystemErrorName(error);
  if (name === 'ENOENT') {
    return 'the kernel has no tls module loaded: run `modprobe tls`, and name it in /etc/modules-load.d to keep it';
  }
  return `the kernel refuses to attach TLS to a socket (${name})`;
}
