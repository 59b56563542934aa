import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** The certificates of the peer, parsed when somebody asks. */
export class PeerCertificates {
  readonly #sent: Buffer[];
  readonly #verified: () => Buffer[];
  #leaf: X509Certificate | undefined;

  /**
   * @param sent what the peer presented: DER, leaf first
   * @param verified answers the chain up to the root that it was verified with, empty if it was not
   */
  constructor(sent: Buffer[], verified: () => Buffer[]) {
    this.#sent = sent;
    this.#verified = verified;
  }

  /** The leaf with the chain that the peer sent in `issuerCertificate`, as `node:tls` has it. */
  get leafOfChain(): X509Certificate | undefined {
    const [leaf, ...issuers] = this.#sent.map((der) => new X509Certificate(der));
    let last = leaf;
    for (const issuer of issuers) {
      if (last?.checkIssued(issuer)) {
        Object.defineProperty(last, 'issuerCertificate', { configurable: true, value: issuer });
        last = issuer;
      }
    }
    return leaf;
  }

  /** The leaf, or undefined where the peer presented none. */
  get leaf(): X509Certificate | undefined {
    const [der] = this.#sent;
    return (this.#leaf ??= der && new X509Certificate(der));
  }

  /** `node:tls`'s object for the leaf; an empty one where the peer presented none. */
  toLegacyObject(): PeerCertificate {
    return (this.leaf?.toLegacyObject() ?? {}) as PeerCertificate;
  }

  /** The same with `issuerCertificate` up to the root, which is its own issuer. */
  toDetailedObject(): DetailedPeerCertificate {
    const verified = this.#verified();
    const chain = (verified.length > 0 ? verified : this.#sent).map(
      (der) => new X509Certificate(der),
    );
    const objects = chain.map(
      (certificate) => certificate.toLegacyObject() as unknown as DetailedPeerCertificate,
    );
    for (const [i, certificate] of chain.entries()) {
      const issuer = chain.findIndex((other) => certificate.checkIssued(other));
      const object = objects[i];
      const issuerObject = objects[issuer];
      if (object !== undefined && issuerObject !== undefined) {
        object.issuerCertificate = issuerObject;
      }
    }
    return objects[0] ?? ({} as DetailedPeerCertificate);
  }
}
