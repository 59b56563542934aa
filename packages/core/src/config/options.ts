import type { PeerCertificate } from 'node:tls';
import type { KtlsOption } from '../ktls/policy';
import type { TicketKeys, TicketKeySet } from '../session/ticket-keys';

/** Key or certificate material: PEM as text or bytes, or DER as bytes. */
export type Material = string | Buffer | Uint8Array;

/** A private key with a passphrase of its own. */
export interface KeyWithPassphrase {
  pem: Material;
  passphrase?: string | undefined;
}

/** The names of the protocol versions, as in `node:tls`. */
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** What servers and clients have in common. The names are `node:tls`'s where it has one. */
export interface CommonOptions {
  /** Private key: PKCS#8, PKCS#1 or SEC1, PEM or DER; several to offer certificates of several key types. */
  key?: Material | (Material | KeyWithPassphrase)[] | undefined;
  /**
   * Certificate chain, leaf first. With one key, an array is one chain in parts; with several keys it holds one chain
   * for each.
   */
  cert?: Material | Material[] | undefined;
  /** PEM file with the private key, read at construction. */
  keyFile?: string | undefined;
  /** PEM file with the certificate chain, leaf first, read at construction. */
  certFile?: string | undefined;
  /** For encrypted private keys. */
  passphrase?: string | undefined;
  /** Roots to verify the peer against, instead of the default trust. */
  ca?: Material | Material[] | undefined;
  /** PEM file with such roots, read at construction; added to `ca`. */
  caFile?: string | undefined;
  /** Lowest version. Default `TLSv1.2`. */
  minVersion?: TlsVersion | undefined;
  /** Highest version. Default `TLSv1.3`. */
  maxVersion?: TlsVersion | undefined;
  /**
   * Cipher suites of both generations, IANA or OpenSSL names, in order of preference. Suites of one generation only
   * narrow the version range. AWS-LC orders those of TLS 1.3 by what the processor is fast at.
   */
  cipherSuites?: string[] | undefined;
  /** The same in `node:tls`'s form, an OpenSSL cipher list; `@SECLEVEL` is ignored. */
  ciphers?: string | undefined;
  /** Key-exchange groups in order of preference, e.g. `['X25519MLKEM768', 'X25519', 'P-256']`. */
  groups?: string[] | undefined;
  /** The same in `node:tls`'s form, separated by colons. */
  ecdhCurve?: string | undefined;
  /** ALPN protocols (RFC 7301) in order of preference, as names or in wire format. */
  ALPNProtocols?: string[] | Uint8Array | undefined;
  /** The same as `ALPNProtocols`. */
  alpnProtocols?: string[] | Uint8Array | undefined;
  /**
   * Bits of `crypto.constants.SSL_OP_*`. A server with `SSL_OP_NO_TICKET` sends no session tickets: for clients whose
   * kernel TLS cannot bear them. Switches that say what AWS-LC does anyhow are accepted, others refused.
   */
  secureOptions?: number | undefined;
  /** Kernel TLS. Default `'auto'`: wherever host, cipher suite and kernel allow. */
  ktls?: KtlsOption | undefined;
  /** TLS 1.2: only suites that the kernel can take. Default false. */
  ktlsAeadOnly?: boolean | undefined;
  /**
   * An end of the connection without close_notify is an error (`ERR_AWS_LC_TRUNCATED`) instead of an ordinary 'end'.
   * Default false.
   */
  strictClose?: boolean | undefined;
}

/** Options of a server. */
export interface ServerConfigOptions extends CommonOptions {
  /**
   * Client certificates: `'optional'` and `'required'` verify what is presented against `ca` and refuse the handshake
   * when it fails. Default `'none'`.
   */
  clientAuth?: 'none' | 'optional' | 'required' | undefined;
  /** `node:tls`'s way to ask for a client certificate; not together with `clientAuth`. Default false. */
  requestCert?: boolean | undefined;
  /** With `requestCert`: whether a client without a good certificate is refused. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** Milliseconds a handshake may take. Default 120 000. */
  handshakeTimeout?: number | undefined;
  /**
   * What session tickets are sealed with: 48 bytes as in `node:tls`, or a current key with the ones before it, or
   * {@link TicketKeys}, which may change later and be shared. Default: random keys that change every day, so that
   * sessions can be resumed with this very configuration only.
   */
  ticketKeys?: Uint8Array | TicketKeySet | TicketKeys | undefined;
}

/** Options of a client. */
export interface ClientConfigOptions extends CommonOptions {
  /** Whether a server that fails verification is refused. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** Name to send as SNI and to check the certificate against, instead of the one given to `connect`. */
  servername?: string | undefined;
  /** Replaces the check of the server's name; answers an Error to refuse. Default `tls.checkServerIdentity`. */
  checkServerIdentity?:
    ((hostname: string, certificate: PeerCertificate) => Error | undefined) | undefined;
  /** A session from `getSession()` or the 'session' event, to resume. */
  session?: Buffer | undefined;
  /** Milliseconds a handshake may take. Default 120 000. */
  handshakeTimeout?: number | undefined;
}

/** What one `accept` or `connect` may be given beside the configuration. */
export interface HandshakeOptions {
  /** Aborts the handshake. */
  signal?: AbortSignal | undefined;
  /** Milliseconds the handshake may take; the configuration's by default. */
  handshakeTimeout?: number | undefined;
  /** Whether writing may go on after the peer has ended. Default: the transport's if it is a `net.Socket`, else false. */
  allowHalfOpen?: boolean | undefined;
  /** Bytes to buffer in each direction, as for any stream. */
  highWaterMark?: number | undefined;
  /** Kernel TLS for this connection, instead of the configuration's. */
  ktls?: KtlsOption | undefined;
}

/** What one `connect` may be given beside that. */
export interface ConnectOptions extends HandshakeOptions {
  /** ALPN protocols for this connection, instead of the configuration's. */
  ALPNProtocols?: string[] | Uint8Array | undefined;
  /** A session to resume on this connection. */
  session?: Buffer | undefined;
}
