/** Certificate revocation lists (RFC 5280, section 5), made while the tests run. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Identity } from './certificate.js';

const hour = 3_600_000;

/** The list of an authority as PEM, in which `revoked` are revoked. */
export async function revocationList(
  issuer: Identity,
  revoked: Identity[] = [],
  nextUpdate = new Date(Date.now() + hour),
): Promise<string> {
  const { name, signingKey, algorithm } = issuer.signer;
  const crl = await x509.X509CrlGenerator.create({
    issuer: name,
    thisUpdate: new Date(Date.now() - 2 * hour),
    nextUpdate,
    entries: revoked.map(({ x509: { serialNumber } }) => ({
      serialNumber,
      revocationDate: new Date(Date.now() - hour),
    })),
    signingKey,
    signingAlgorithm: algorithm,
  });
  const base64 = Buffer.from(crl.rawData)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n');
  return `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
}
