import type { PeerCertificate } from 'node:tls';
import type { SecureContext } from './secure-context';

/**
 * What users of `node:tls` assign to: `tls.DEFAULT_MAX_VERSION = 'TLSv1.2'` changes every later connection, and whoever
 * replaces `tls.checkServerIdentity` has it called. So the functions here look these up on the module's exports when
 * they are called.
 */
export interface Assignable {
  DEFAULT_CIPHERS: string;
  DEFAULT_ECDH_CURVE: string;
  DEFAULT_MIN_VERSION: string;
  DEFAULT_MAX_VERSION: string;
  checkServerIdentity: (hostname: string, certificate: PeerCertificate) => Error | undefined;
  createSecureContext: (options?: object) => SecureContext;
}

let bound: Assignable | undefined;

/** Names the object whose properties are looked up; the package's CommonJS entry is the one. */
export function bindExports(exports: Assignable): void {
  bound = exports;
}

/** The exports as they are now. */
export function assignable(): Assignable {
  return bound as Assignable;
}
