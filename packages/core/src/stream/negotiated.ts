import type { Agreement } from '@node-aws-lc/native';

/** What a handshake agreed on. */
export interface Negotiated {
  /** The protocol version. */
  readonly protocol: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** The cipher suite's IANA name. */
  readonly cipher: string;
  /** The key-exchange group, e.g. `'X25519MLKEM768'`, `'X25519'`, `'P-256'`; empty where RSA did the key exchange. */
  readonly group: string;
  /** The ALPN protocol, or null where none was agreed on. */
  readonly alpn: string | null;
  /** The name that the client asked for (SNI), or null where it asked for none. */
  readonly serverName: string | null;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}

/** What is known of a connection since its handshake. */
export interface HandshakeDetails {
  readonly agreement: Agreement;
  readonly alpn: string | null;
  readonly serverName: string | null;
  readonly resumed: boolean;
  /** Whether the configuration asks the peer for a certificate. */
  readonly verifiesPeer: boolean;
  readonly verifyResult: number;
  readonly ocspResponse: Buffer | undefined;
}

/** The public view of the details. */
export function toNegotiated(details: HandshakeDetails): Negotiated {
  const { agreement, alpn, serverName, resumed } = details;
  return Object.freeze({
    protocol: agreement.protocol as Negotiated['protocol'],
    cipher: agreement.cipher ?? '',
    group: agreement.group ?? '',
    alpn,
    serverName,
    resumed,
  });
}
