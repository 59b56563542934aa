import { existsSync } from 'node:fs';

/**
 * Whether this kernel has TLS, built in or as a module that is loaded: whether `/proc/net/tls_stat` is there
 * (Documentation/networking/tls.rst). Has no side effect; a module that would load on demand is not seen.
 */
export function hostKtlsAvailable(): boolean {
  return process.platform === 'linux' && existsSync('/proc/net/tls_stat');
}
