import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** A certificate chain as the peer sent it, parsed when somebody asks. */
export class PeerCertificates {
  readonly #chain: Buffer[];
  #leaf: X509Certificate | undefined;

  /** @param chain DER, leaf first */
  constructor(chain: Buffer[]) {
    this.#chain = chain;
  }

  /** The leaf, or undefined where the peer presented none. */
  get leaf(): X509Certificate | undefined {
    const [der] = this.#chain;
    return (this.#leaf ??= der && new X509Certificate(der));
  }

  /** `node:tls`'s object for the leaf; an empty one where the peer presented none. */
  toLegacyObject(): PeerCertificate {
    return (this.leaf?.toLegacyObject() ?? {}) as PeerCertificate;
  }

  /** The same with `issuerCertificate` up the chain; a self-signed root is its own issuer. */
  toDetailedObject(): DetailedPeerCertificate {
    const certificates = this.#chain.map((der) => new X509Certificate(der));
    const objects = certificates.map(
      (certificate) => certificate.toLegacyObject() as unknown as DetailedPeerCertificate,
    );
    const [leaf] = objects;
    if (leaf === undefined) return {} as DetailedPeerCertificate;
    for (let i = 0; i < objects.length; i++) {
      const certificate = certificates[i] as X509Certificate;
      const object = objects[i] as DetailedPeerCertificate;
      const issuer = certificates.findIndex((candidate) => certificate.checkIssued(candidate));
      const issuerObject = objects[issuer];
      if (issuerObject !== undefined) object.issuerCertificate = issuerObject;
    }
    return leaf;
  }
}
