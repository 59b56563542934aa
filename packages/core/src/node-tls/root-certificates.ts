import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { invalidArgType, invalidArgValue, withCode } from './node-errors';
import {
  extraCertificates,
  parseBundle,
  replaceDefaultTrust,
  systemCertificates,
  trustedCertificates,
} from '../verify/default-trust';

/** The roots that this Node.js was built with, as PEM: `tls.rootCertificates`. */
export declare const rootCertificates: readonly string[];

// Node makes the list when it is first asked for.
Object.defineProperty(exports, 'rootCertificates', {
  enumerable: true,
  get: () => tls.rootCertificates,
});

/**
 * Certificates as PEM, as `tls.getCACertificates`.
 *
 * @param type `'default'`: what is trusted where no `ca` is given; `'system'`: the system's bundle; `'bundled'`: Node's
 *   own; `'extra'`: those of `NODE_EXTRA_CA_CERTS`
 */
export function getCACertificates(type: string = 'default'): readonly string[] {
  if (typeof type !== 'string') throw invalidArgType('type', 'of type string', type);
  switch (type) {
    case 'default':
      return toPem(trustedCertificates());
    case 'system':
      return toPem(systemCertificates());
    case 'extra':
      return toPem(extraCertificates());
    case 'bundled':
      return tls.rootCertificates;
    default:
      throw invalidArgValue('type', type);
  }
}

/**
 * Has certificates that are given here be what is trusted where no `ca` is given, as `tls.setDefaultCACertificates`: from
 * the next context on, and without what the environment says.
 *
 * @param certs PEM
 * @throws TypeError ERR_INVALID_ARG_TYPE; Error ERR_CRYPTO_OPERATION_FAILED for what holds no certificate, and
 *   ERR_OSSL_PEM_ASN1_LIB for a damaged one
 */
export function setDefaultCACertificates(
  certs: readonly (string | NodeJS.ArrayBufferView)[],
): void {
  if (!Array.isArray(certs)) throw invalidArgType('certs', 'an instance of Array', certs);
  const seen = new Map<string, Buffer>();
  for (const [i, cert] of (certs as unknown[]).entries()) {
    for (const { fingerprint256, raw } of toCertificates(cert, `certs[${i}]`)) {
      seen.set(fingerprint256, raw);
    }
  }
  replaceDefaultTrust([...seen.values()]);
}

function toCertificates(cert: unknown, name: string): X509Certificate[] {
  if (typeof cert !== 'string' && !ArrayBuffer.isView(cert)) {
    throw invalidArgType(name, 'of type string or an instance of ArrayBufferView', cert);
  }
  const text =
    typeof cert === 'string'
      ? Buffer.from(cert)
      : Buffer.from(cert.buffer, cert.byteOffset, cert.byteLength);
  const bundle = parseBundle(text);
  if (bundle.length === 0) {
    const error = new Error('No valid certificates found in the provided array');
    throw withCode(error, 'ERR_CRYPTO_OPERATION_FAILED');
  }
  try {
    return bundle.map((der) => new X509Certificate(der));
  } catch (cause) {
    throw withCode(new Error('PEM routines::ASN1 lib', { cause }), 'ERR_OSSL_PEM_ASN1_LIB');
  }
}

function toPem(certificates: Buffer[]): readonly string[] {
  return Object.freeze(
    certificates.map((der) => {
      const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
      return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n');
    }),
  );
}
