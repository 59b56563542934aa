import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import tls, { type PeerCertificate } from 'node:tls';

// As it is now: `register` puts the function below in its place.
const { checkServerIdentity: checkByNode } = tls;

/**
 * Whether a certificate is for a host: `tls.checkServerIdentity`, but for IP addresses, which some versions of Node
 * refuse where they are IPv6 literals.
 *
 * @returns what is wrong, as Node's ERR_TLS_CERT_ALTNAME_INVALID
 */
export function checkServerIdentity(
  hostname: string,
  certificate: PeerCertificate,
): Error | undefined {
  // Whoever calls this himself may have made the object himself.
  const { raw } = certificate as Partial<PeerCertificate>;
  if (raw && isIP(hostname) && new X509Certificate(raw).checkIP(hostname) !== undefined) {
    return undefined;
  }
  return checkByNode(hostname, certificate);
}
