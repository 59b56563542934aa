import type { NativeAlert, NativeError } from '@node-aws-lc/native';

/**
 * Every error that a configuration can fail with, at construction. The text after each code says what usually causes it.
 */
const CONFIG_ERRORS = {
  /** An option has the wrong JavaScript type, or a value outside its range. */
  ERR_AWS_LC_CONFIG_TYPE: 'the option has the wrong type',
  /** A file named by an option cannot be read; `cause` is the file system's error. */
  ERR_AWS_LC_CONFIG_FILE: 'the file cannot be read',
  /** PEM that is cut short, damaged, or followed by something else. */
  ERR_AWS_LC_CONFIG_PEM: 'the PEM is malformed',
  /** Not a certificate, or one that AWS-LC refuses to parse or to use. */
  ERR_AWS_LC_CONFIG_CERT: 'the certificate cannot be used',
  /** Not a private key in PKCS#8, PKCS#1 or SEC1 form. */
  ERR_AWS_LC_CONFIG_KEY: 'the private key cannot be used',
  /** The private key is encrypted and the passphrase is missing or wrong. */
  ERR_AWS_LC_CONFIG_PASSPHRASE: 'the private key cannot be decrypted',
  /** The private key belongs to another certificate. */
  ERR_AWS_LC_CONFIG_KEY_MISMATCH: 'the private key does not belong to the certificate',
  /** A PKCS #12 file that is none, that holds no key or no certificate for it, or whose passphrase is another. */
  ERR_AWS_LC_CONFIG_PFX: 'the PKCS #12 data cannot be used',
  /** A certificate revocation list cannot be parsed. */
  ERR_AWS_LC_CONFIG_CRL: 'the revocation list cannot be used',
  /** A root certificate cannot be parsed. */
  ERR_AWS_LC_CONFIG_CA: 'the root certificate cannot be used',
  /** An option that others depend on is not there: a key without certificate, client authentication without roots. */
  ERR_AWS_LC_CONFIG_MISSING: 'an option is missing',
  /** Two options contradict each other. */
  ERR_AWS_LC_CONFIG_CONFLICT: 'options contradict each other',
  /** An unknown protocol version, or a minimum above the maximum. */
  ERR_AWS_LC_CONFIG_VERSION: 'the protocol versions cannot be used',
  /** A cipher suite that AWS-LC does not know, or none left for the chosen versions. */
  ERR_AWS_LC_CONFIG_CIPHER: 'the cipher suites cannot be used',
  /** A signature algorithm that AWS-LC does not know, or none at all. */
  ERR_AWS_LC_CONFIG_SIGALGS: 'the signature algorithms cannot be used',
  /** A key-exchange group that AWS-LC does not know. */
  ERR_AWS_LC_CONFIG_GROUP: 'the groups cannot be used',
  /** An empty or over-long protocol name, or a malformed list (RFC 7301). */
  ERR_AWS_LC_CONFIG_ALPN: 'the ALPN protocols cannot be used',
  /** An empty host name, or one with characters that no host name has (RFC 6066). */
  ERR_AWS_LC_CONFIG_SERVER_NAME: 'the server name cannot be used',
  /** A kernel-TLS policy that contradicts itself. */
  ERR_AWS_LC_CONFIG_KTLS: 'the ktls option cannot be used',
  /** An option of `node:tls` that is not offered here; ignoring it could cost security. */
  ERR_AWS_LC_CONFIG_UNSUPPORTED: 'the option is not supported',
} as const;

/** The codes of {@link ConfigError}. */
export type ConfigErrorCode = keyof typeof CONFIG_ERRORS;

/**
 * A configuration that cannot work, found when it is made. `code` is one of the `ERR_AWS_LC_CONFIG_*` codes, `option`
 * names the option at fault, `cause` keeps what the library or the file system said.
 */
export class ConfigError extends Error {
  /** One of the `ERR_AWS_LC_CONFIG_*` codes. */
  readonly code: ConfigErrorCode;
  /** The option at fault. */
  readonly option: string;
  /** What OpenSSL calls it, where that is more than the code says. */
  readonly reason?: string;

  constructor(
    code: ConfigErrorCode,
    option: string,
    detail: string,
    cause?: unknown,
    reason?: string,
  ) {
    super(
      `${option}: ${CONFIG_ERRORS[code]}: ${detail}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = 'ConfigError';
    this.code = code;
    this.option = option;
    if (reason !== undefined) this.reason = reason;
  }
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
export class TlsError extends Error {
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

  constructor(code: string, message: string, details: Partial<TlsErrorDetails> = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TlsError';
    this.code = code;
    for (const [key, value] of Object.entries<unknown>(rest)) {
      if (value !== undefined) Object.assign(this, { [key]: value });
    }
  }
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

/** Where AWS-LC spells a reason otherwise than OpenSSL, whose spelling users match on. */
const OPENSSL_REASONS: Record<string, string> = {
  NO_COMMON_SIGNATURE_ALGORITHMS: 'NO_SHARED_SIGNATURE_ALGORITHMS',
  TLSV1_ALERT_CERTIFICATE_REQUIRED: 'TLSV13_ALERT_CERTIFICATE_REQUIRED',
  TLSV1_ALERT_UNSUPPORTED_EXTENSION: 'TLSV1_UNSUPPORTED_EXTENSION',
  TLSV1_ALERT_CERTIFICATE_UNOBTAINABLE: 'TLSV1_CERTIFICATE_UNOBTAINABLE',
  TLSV1_ALERT_UNRECOGNIZED_NAME: 'TLSV1_UNRECOGNIZED_NAME',
  TLSV1_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE: 'TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE',
  TLSV1_ALERT_BAD_CERTIFICATE_HASH_VALUE: 'TLSV1_BAD_CERTIFICATE_HASH_VALUE',
};

/** What AWS-LC says of an alert that it has no reason for. */
const NAMELESS_ALERT = 'unknown error';
const MISSING_EXTENSION = 109;

/** RFC 8446's names for the alerts (section 6), by number. */
const ALERT_NAMES: Record<number, string> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  114: 'bad_certificate_hash_value',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
  121: 'ech_required',
};

/** Node's codes for the results of chain verification (X509_V_ERR_*), by number. */
const VERIFY_CODES: Record<number, string> = {
  2: 'UNABLE_TO_GET_ISSUER_CERT',
  3: 'UNABLE_TO_GET_CRL',
  4: 'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  5: 'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  6: 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  7: 'CERT_SIGNATURE_FAILURE',
  8: 'CRL_SIGNATURE_FAILURE',
  9: 'CERT_NOT_YET_VALID',
  10: 'CERT_HAS_EXPIRED',
  11: 'CRL_NOT_YET_VALID',
  12: 'CRL_HAS_EXPIRED',
  13: 'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  14: 'ERROR_IN_CERT_NOT_AFTER_FIELD',
  15: 'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  16: 'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  17: 'OUT_OF_MEM',
  18: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  19: 'SELF_SIGNED_CERT_IN_CHAIN',
  20: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  21: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  22: 'CERT_CHAIN_TOO_LONG',
  23: 'CERT_REVOKED',
  24: 'INVALID_CA',
  25: 'PATH_LENGTH_EXCEEDED',
  26: 'INVALID_PURPOSE',
  27: 'CERT_UNTRUSTED',
  28: 'CERT_REJECTED',
  62: 'HOSTNAME_MISMATCH',
};

/** Results that AWS-LC has and has no words for. */
const VERIFY_DESCRIPTIONS: Record<number, string> = {
  68: 'EE certificate key too weak',
  69: 'CA certificate key too weak',
  70: 'CA signature digest algorithm too weak',
};

/** Node's code for a verification result, or undefined when it is X509_V_OK. */
export function verificationCode(verifyResult: number): string | undefined {
  if (verifyResult === 0) return undefined;
  return VERIFY_CODES[verifyResult] ?? 'UNSPECIFIED';
}

/** RFC 8446's name for an alert, by number. */
export function alertName(code: number): string {
  return ALERT_NAMES[code] ?? `alert ${code}`;
}

function toAlert(alert: NativeAlert | undefined): TlsAlert | undefined {
  return alert && { ...alert, name: alertName(alert.code) };
}

function describeAlert(alert: TlsAlert | undefined): string {
  return alert === undefined
    ? ''
    : ` (alert ${ALERT_NAMES[alert.code] ?? alert.code} ${alert.direction})`;
}

function inWords(reason: string): string {
  return reason.toLowerCase().replaceAll('_', ' ');
}

/** What failed where the native code says so; the `side` is this process's. */
export function fromNative(error: NativeError, side: TlsSide): TlsError {
  const alert = toAlert(error.alert);
  switch (error.kind) {
    case 'system':
      return new TlsError(error.code, `${error.syscall} ${error.code}: ${error.description}`, {
        side,
        alert,
        syscall: error.syscall,
        errno: error.errno,
      });
    case 'verification': {
      const message =
        (VERIFY_DESCRIPTIONS[error.verifyResult] ?? error.description).replace(
          'self signed',
          'self-signed',
        ) + describeAlert(alert);
      return new TlsError(verificationCode(error.verifyResult) ?? 'UNSPECIFIED', message, {
        side,
        alert,
      });
    }
    case 'eof':
      return disconnectedInHandshake(side);
    case 'protocol': {
      if (error.reason === 'KTLS_KEY_UPDATE') return keyUpdateInKernel(side, alert);
      if (error.reason === 'KEY_USAGE_BIT_INCORRECT') return keyMayNotSign(side, alert);
      const name = opensslReason(error.reason, alert);
      const message = `TLS failed on the ${side}: ${inWords(name)}${describeAlert(alert)}`;
      return new TlsError(`ERR_SSL_${name}`, message, {
        side,
        alert,
        reason: inWords(name),
        library: error.library,
      });
    }
  }
}

function opensslReason(reason: string, alert: TlsAlert | undefined): string {
  if (reason === NAMELESS_ALERT) {
    return alert?.code === MISSING_EXTENSION
      ? 'TLSV13_ALERT_MISSING_EXTENSION'
      : 'UNKNOWN_ALERT_TYPE';
  }
  return OPENSSL_REASONS[reason] ?? (reason || 'INTERNAL_ERROR');
}

/** internal_error (RFC 8446, section 6.2): nothing that the peer did. */
export const ALERT_INTERNAL_ERROR = 80;

/** The `ktls` option requires what this connection cannot have, which the peer is told by an alert. */
export function kernelTlsMissing(side: TlsSide, why: string | undefined): TlsError {
  const name = 'internal_error';
  const alert: TlsAlert = { direction: 'sent', level: 2, code: ALERT_INTERNAL_ERROR, name };
  return new TlsError(
    'ERR_AWS_LC_KTLS_REQUIRED',
    `kernel TLS is required: ${why}${describeAlert(alert)}`,
    { side, alert },
  );
}

function keyUpdateInKernel(side: TlsSide, alert: TlsAlert | undefined): TlsError {
  return new TlsError(
    'ERR_AWS_LC_KTLS_KEY_UPDATE',
    'the peer changed its keys (KeyUpdate), which this kernel cannot follow; switch ktls off for such peers',
    { side, alert },
  );
}

/** libssl looks at the leaf's key usage (RFC 8446, section 4.4.2.2) before anybody verifies the chain. */
function keyMayNotSign(side: TlsSide, alert: TlsAlert | undefined): TlsError {
  const message = `unsupported certificate purpose: its key may not sign${describeAlert(alert)}`;
  return new TlsError('INVALID_PURPOSE', message, { side, alert });
}

/** The peer hung up before the handshake was over; worded as `node:tls` words it for the client. */
export function disconnectedInHandshake(side: TlsSide): TlsError {
  const message =
    side === 'client'
      ? 'Client network socket disconnected before secure TLS connection was established'
      : 'The client hung up before the TLS handshake was complete';
  return new TlsError('ECONNRESET', message, { side });
}

/** The handshake took longer than `milliseconds`. */
export function handshakeTimeout(side: TlsSide, milliseconds: number): TlsError {
  return new TlsError(
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    `TLS handshake timeout: not complete after ${milliseconds} ms on the ${side}`,
    { side },
  );
}

/** An AbortError as Node's own APIs raise it. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return Object.assign(error, { code: 'ABORT_ERR' });
}
