import type { PeerCertificate } from 'node:tls';
import type { KtlsOption } from '../ktls/policy';
import type { ServerConfig } from './server-config';
import type { RemotePrivateKey } from './private-key';
import type { TicketKeys, TicketKeySet } from '../session/ticket-keys';

/** Key or certificate material: PEM as text or bytes, or DER as bytes. */
export type Material = string | Buffer | NodeJS.ArrayBufferView;

/** A private key with a passphrase of its own. */
export interface KeyWithPassphrase {
  pem: Material;
  passphrase?: string | undefined;
}

/** A PKCS #12 file with a passphrase of its own. */
export interface PfxWithPassphrase {
  buf: Material;
  passphrase?: string | undefined;
}

/** The names of the protocol versions, as in `node:tls`. */
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** What servers and clients have in common. The names are `node:tls`'s where it has one. */
export interface CommonOptions {
  /**
   * Private key: PKCS#8, PKCS#1 or SEC1, PEM or DER. Several, with as many chains, to offer certificates of several kinds:
   * RSA, ECDSA on P-256, P-384 or P-521, Ed25519. A server takes the one that fits what the client can verify.
   */
  key?: Material | (Material | KeyWithPassphrase)[] | undefined;
  /**
   * Certificate chain, leaf first. With one key, an array is one chain in parts; with several keys it holds one chain
   * for each, in any order. A leaf alone is sent with the intermediates that `ca` holds.
   */
  cert?: Material | Material[] | undefined;
  /** PEM file with the private key, read at construction. */
  keyFile?: string | undefined;
  /** PEM file with the certificate chain, leaf first, read at construction. */
  certFile?: string | undefined;
  /** For encrypted private keys, and for `pfx`. */
  passphrase?: string | undefined;
  /**
   * Keys with their chains as PKCS #12 (RFC 7292), instead of `key` and `cert` or beside them. Other certificates in the
   * files are trusted, as in `node:tls`, except by a server with `clientAuth`.
   */
  pfx?: Material | (Material | PfxWithPassphrase)[] | undefined;
  /** A key that lives elsewhere and signs when it is asked to, instead of `key`; its chain is in `cert`. */
  privateKey?: RemotePrivateKey | undefined;
  /** Roots to verify the peer against, instead of the default trust. */
  ca?: Material | Material[] | undefined;
  /** PEM file with such roots, read at construction; added to `ca`. */
  caFile?: string | undefined;
  /**
   * Certificate revocation lists (RFC 5280, section 5), PEM or DER. With any, every authority of the peer's chain must have
   * a current one: `CERT_REVOKED`, `UNABLE_TO_GET_CRL`, `CRL_HAS_EXPIRED`.
   */
  crl?: Material | Material[] | undefined;
  /** Whether an intermediate in `ca` is enough, without its root. Default false. */
  allowPartialTrustChain?: boolean | undefined;
  /**
   * Signature algorithms to sign with and to accept, in order of preference and in OpenSSL's form, e.g.
   * `'ecdsa_secp256r1_sha256:RSA-PSS+SHA256'`. AWS-LC's own by default.
   */
  sigalgs?: string | undefined;
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
   * kernel TLS cannot bear them. `SSL_OP_NO_TLSv1_2` and those like it narrow the range of versions. Switches that say
   * what AWS-LC does anyhow (`SSL_OP_ALL`, `SSL_OP_NO_SSLv3`, `SSL_OP_LEGACY_SERVER_CONNECT`, …) are accepted, others
   * refused.
   */
  secureOptions?: number | undefined;
  /** Kernel TLS. Default `'auto'`: wherever host, cipher suite and kernel allow. */
  ktls?: KtlsOption | undefined;
  /**
   * Only suites that the kernel can take, which TLS 1.2 has beside others, TLS 1.3 only, and the versions before none.
   * Default false.
   */
  ktlsAeadOnly?: boolean | undefined;
  /**
   * An end of the connection without close_notify is an error (`ERR_AWS_LC_TRUNCATED`) instead of an ordinary 'end'.
   * Default false.
   */
  strictClose?: boolean | undefined;
}

/** What an `OCSPCallback` is told; all DER. */
export interface OcspRequest {
  /** The server's certificate that the client is to be served with. */
  certificate: Buffer;
  /** Who issued it, where that is known from the chain or from `ca`. */
  issuer: Buffer | undefined;
}

/** Options of a server. */
export interface ServerConfigOptions extends CommonOptions {
  /**
   * Answers the configuration for the name that a client asks for (SNI, RFC 6066), by the callback or by its return value,
   * which may be a promise; nothing for this one. A client is served with that configuration's keys, roots, client
   * authentication, revocation lists, versions, suites and signature algorithms; ALPN, groups, session tickets, kernel TLS and
   * timeouts are this one's. Is not called for a client that names no server.
   */
  SNICallback?:
    | ((
        servername: string,
        callback: (error: Error | null, context?: ServerConfig | null) => void,
      ) => void)
    | ((
        servername: string,
      ) => ServerConfig | null | undefined | Promise<ServerConfig | null | undefined>)
    | undefined;
  /**
   * Chooses one of the protocols that a client offers (ALPN, RFC 7301); undefined refuses it with the alert
   * no_application_protocol. Not together with `ALPNProtocols`. Is not called for a client that offers none.
   */
  ALPNCallback?:
    ((offer: { servername: string; protocols: string[] }) => string | undefined) | undefined;
  /** Answers the OCSP response to staple for a client that asks for one (RFC 6066, section 8), in DER, or nothing. */
  OCSPCallback?:
    | ((request: OcspRequest) => Buffer | null | undefined | Promise<Buffer | null | undefined>)
    | undefined;
  /**
   * Client certificates: `'optional'` and `'required'` verify what is presented against `ca` and refuse the handshake
   * when it fails. Default `'none'`.
   */
  clientAuth?: 'none' | 'optional' | 'required' | undefined;
  /** `node:tls`'s way to ask for a client certificate; not together with `clientAuth`. Default false. */
  requestCert?: boolean | undefined;
  /** With `requestCert`: whether a client without a good certificate is refused. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /**
   * Whether the server's order of cipher suites decides, or, up to TLS 1.2, the client's. Those of TLS 1.3 go by what the
   * processors are fast at. Default true.
   */
  honorCipherOrder?: boolean | undefined;
  /** Milliseconds a handshake may take. Default 120 000. */
  handshakeTimeout?: number | undefined;
  /**
   * What session tickets are sealed with: 48 bytes as in `node:tls`, or a current key with the ones before it, or
   * {@link TicketKeys}, which may change later and be shared. Default: random keys that change every day, so that
   * sessions can be resumed with this very configuration only.
   */
  ticketKeys?: Uint8Array | TicketKeySet | TicketKeys | undefined;
  /** Seconds after which a session cannot be resumed any more. Default, and 0: two hours in TLS 1.2, two days in 1.3. */
  sessionTimeout?: number | undefined;
  /**
   * Binds sessions to one more thing than the policy for client certificates, which they are always bound to: servers
   * that share ticket keys resume each other's sessions only where this is equal. Default none.
   */
  sessionIdContext?: string | undefined;
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
  /**
   * A session from `getSession()` or the 'session' event, to resume. A ticket of TLS 1.3 is offered by the first
   * connection only that is for the server that it came from (RFC 8446, appendix C.4).
   */
  session?: Buffer | undefined;
  /** Milliseconds a handshake may take. Default 120 000. */
  handshakeTimeout?: number | undefined;
  /**
   * Asks the server for a stapled OCSP response; see `stream.ocspResponse`. As in `node:tls` it is not judged. Default
   * false.
   */
  requestOCSP?: boolean | undefined;
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
  /**
   * Is called with each secret of the connection, as a line of NSS's key log with its line feed: whoever has them can
   * decrypt what is recorded of the connection.
   */
  keylog?: ((line: Buffer) => void) | undefined;
  /** Kernel TLS for this connection, instead of the configuration's. */
  ktls?: KtlsOption | undefined;
  /**
   * TLS 1.2: of the configuration's suites only those that the kernel can take; where none of them is, TLS 1.3 only.
   * `false` leaves the configuration's as they are. ERR_AWS_LC_CONFIG_CIPHER where nothing would be left.
   */
  ktlsAeadOnly?: boolean | undefined;
}

/** What one `connect` may be given beside that. */
export interface ConnectOptions extends HandshakeOptions {
  /** ALPN protocols for this connection, instead of the configuration's. */
  ALPNProtocols?: string[] | Uint8Array | undefined;
  /** A session to resume on this connection. */
  session?: Buffer | undefined;
}
