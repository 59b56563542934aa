import * as tls from 'node:tls';
import { invalidArgType, invalidArgValue } from './node-errors';
import {
  extraCertificates,
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

function toPem(certificates: Buffer[]): readonly string[] {
  return Object.freeze(
    certificates.map((der) => {
      const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
      return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n');
    }),
  );
}
