import type { NativeError } from '@node-aws-lc/native';
/**
 * Every error that a configuration can fail with, at construction. The text after each code says what usually causes it.
 */
declare const CONFIG_ERRORS: {
  /** An option has the wrong JavaScript type, or a value outside its range. */
  readonly ERR_AWS_LC_CONFIG_TYPE: 'the option has the wrong type';
  /** A file named by an option cannot be read; `cause` is the file system's error. */
  readonly ERR_AWS_LC_CONFIG_FILE: 'the file cannot be read';
  /** PEM that is cut short, damaged, or followed by something else. */
  readonly ERR_AWS_LC_CONFIG_PEM: 'the PEM is malformed';
  /** Not a certificate, or one that AWS-LC refuses to parse or to use. */
  readonly ERR_AWS_LC_CONFIG_CERT: 'the certificate cannot be used';
  /** Not a private key in PKCS#8, PKCS#1 or SEC1 form. */
  readonly ERR_AWS_LC_CONFIG_KEY: 'the private key cannot be used';
  /** The private key is encrypted and the passphrase is missing or wrong. */
  readonly ERR_AWS_LC_CONFIG_PASSPHRASE: 'the private key cannot be decrypted';
  /** The private key belongs to another certificate. */
  readonly ERR_AWS_LC_CONFIG_KEY_MISMATCH: 'the private key does not belong to the certificate';
  /** A root certificate cannot be parsed. */
  readonly ERR_AWS_LC_CONFIG_CA: 'the root certificate cannot be used';
  /** An option that others depend on is not there: a key without certificate, client authentication without roots. */
  readonly ERR_AWS_LC_CONFIG_MISSING: 'an option is missing';
  /** Two options contradict each other. */
  readonly ERR_AWS_LC_CONFIG_CONFLICT: 'options contradict each other';
  /** An unknown protocol version, or a minimum above the maximum. */
  readonly ERR_AWS_LC_CONFIG_VERSION: 'the protocol versions cannot be used';
  /** A cipher suite that AWS-LC does not know, or none left for the chosen versions. */
  readonly ERR_AWS_LC_CONFIG_CIPHER: 'the cipher suites cannot be used';
  /** A key-exchange group that AWS-LC does not know. */
  readonly ERR_AWS_LC_CONFIG_GROUP: 'the groups cannot be used';
  /** An empty or over-long protocol name, or a malformed list (RFC 7301). */
  readonly ERR_AWS_LC_CONFIG_ALPN: 'the ALPN protocols cannot be used';
  /** An empty host name, or one with characters that no host name has (RFC 6066). */
  readonly ERR_AWS_LC_CONFIG_SERVER_NAME: 'the server name cannot be used';
  /** A kernel-TLS policy that contradicts itself. */
  readonly ERR_AWS_LC_CONFIG_KTLS: 'the ktls option cannot be used';
  /** An option of `node:tls` that is not offered here; ignoring it could cost security. */
  readonly ERR_AWS_LC_CONFIG_UNSUPPORTED: 'the option is not supported';
};
/** The codes of {@link ConfigError}. */
export type ConfigErrorCode = keyof typeof CONFIG_ERRORS;
/**
 * A configuration that cannot work, found when it is made. `code` is one of the `ERR_AWS_LC_CONFIG_*` codes, `option`
 * names the option at fault, `cause` keeps what the library or the file system said.
 */
export declare class ConfigError extends Error {
  /** One of the `ERR_AWS_LC_CONFIG_*` codes. */
  readonly code: ConfigErrorCode;
  /** The option at fault. */
  readonly option: string;
  constructor(code: ConfigErrorCode, option: string, detail: string, cause?: unknown);
}
/** A TLS alert as it crossed the wire (RFC 8446, section 6). */
export interface TlsAlert {
  /** Whether this side sent it or received it. */
  readonly direction: 'sent' | 'received';
  /** 1 is a warning, 2 is fatal. */
  readonly level: number;
  /** The AlertDescription number, e.g. 48. */
  readonly code: number;
  /** Its name in RFC 8446, e.g. `unknown_ca`. */
  readonly name: string;
}
/** Which end of the connection reports an error. */
export type TlsSide = 'client' | 'server';
/**
 * A connection that failed. `code` follows `node:tls`: `ERR_SSL_<REASON>` for what the TLS engine found, Node's
 * verification codes (`CERT_HAS_EXPIRED`, …) for certificates, the system's codes (`ECONNRESET`, …) for the socket.
 */
export declare class TlsError extends Error {
  /** A stable code to match on. */
  readonly code: string;
  /** Which end this process is. */
  readonly side?: TlsSide;
  /** The alert that was sent or received with the failure. */
  readonly alert?: TlsAlert;
  /** The engine's reason in words, as `node:tls` has it. */
  readonly reason?: string;
  /** The part of the library that failed, as `node:tls` has it. */
  readonly library?: string;
  /** The system call that failed. */
  readonly syscall?: string;
  /** The negated system error number. */
  readonly errno?: number;
  constructor(code: string, message: string, details?: Partial<TlsErrorDetails>);
}
interface TlsErrorDetails {
  side: TlsSide;
  alert: TlsAlert | undefined;
  reason: string;
  library: string;
  syscall: string;
  errno: number;
  cause: unknown;
}
/** Node's code for a verification result, or undefined when it is X509_V_OK. */
export declare function verificationCode(verifyResult: number): string | undefined;
/** What failed where the native code says so; the `side` is this process's. */
export declare function fromNative(error: NativeError, side: TlsSide): TlsError;
/** The peer hung up before the handshake was over; worded as `node:tls` words it for the client. */
export declare function disconnectedInHandshake(side: TlsSide): TlsError;
/** The handshake took longer than `milliseconds`. */
export declare function handshakeTimeout(side: TlsSide, milliseconds: number): TlsError;
/** An AbortError as Node's own APIs raise it. */
export declare function abortError(signal: AbortSignal): Error;
export {};
