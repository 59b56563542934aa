import type { ConnectionDetails } from '@node-aws-lc/native';

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

/** The public view of the native details. */
export function toNegotiated(details: ConnectionDetails): Negotiated {
  return Object.freeze({
    protocol: details.protocol as Negotiated['protocol'],
    cipher: details.cipher ?? '',
    group: details.group ?? '',
    alpn: details.alpn,
    serverName: details.serverName,
    resumed: details.resumed,
  });
}
