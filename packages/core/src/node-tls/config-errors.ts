import { ConfigError, type ConfigErrorCode } from '../errors';

/** What OpenSSL says of what a configuration refuses, where it does not depend on the particulars. */
const REASONS: Partial<Record<ConfigErrorCode, string>> = {
  ERR_AWS_LC_CONFIG_PEM: 'no start line',
  ERR_AWS_LC_CONFIG_CERT: 'no start line',
  ERR_AWS_LC_CONFIG_KEY: 'unsupported',
  ERR_AWS_LC_CONFIG_PASSPHRASE: 'bad decrypt',
  ERR_AWS_LC_CONFIG_KEY_MISMATCH: 'key values mismatch',
  ERR_AWS_LC_CONFIG_CIPHER: 'no cipher match',
  ERR_AWS_LC_CONFIG_GROUP: 'Failed to set ECDH curve',
  ERR_AWS_LC_CONFIG_CRL: 'Failed to parse CRL',
  ERR_AWS_LC_CONFIG_PFX: 'not enough data',
};

/** Node's code for each reason, and the part of OpenSSL that gives it. Node has no code for what is not here. */
const CODES: Record<string, [code: string, library?: string]> = {
  'no start line': ['ERR_OSSL_PEM_NO_START_LINE', 'PEM routines'],
  'bad end line': ['ERR_OSSL_PEM_BAD_END_LINE', 'PEM routines'],
  'bad base64 decode': ['ERR_OSSL_PEM_BAD_BASE64_DECODE', 'PEM routines'],
  unsupported: ['ERR_OSSL_UNSUPPORTED', 'DECODER routines'],
  'bad decrypt': ['ERR_OSSL_BAD_DECRYPT', 'Provider routines'],
  'key values mismatch': ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'x509 certificate routines'],
  'no cipher match': ['ERR_SSL_NO_CIPHER_MATCH', 'SSL routines'],
  'Failed to set ECDH curve': ['ERR_CRYPTO_OPERATION_FAILED'],
  'Failed to parse CRL': ['ERR_CRYPTO_OPERATION_FAILED'],
  'Unable to load private key from PFX data': ['ERR_CRYPTO_OPERATION_FAILED'],
};

function reasonOf({ code, option, reason }: ConfigError): string | undefined {
  // OpenSSL tries one decoder after the other on a key, and has nothing to say of what none of them takes.
  if (code === 'ERR_AWS_LC_CONFIG_PEM' && option.startsWith('key')) return 'unsupported';
  // `ca` that holds no certificate is ignored by Node.
  if (code === 'ERR_AWS_LC_CONFIG_PEM' && option.startsWith('ca')) return undefined;
  return reason ?? REASONS[code];
}

/** A certificate in whose insides something is wrong, which AWS-LC and OpenSSL name alike but for the odd word. */
function unparsable({ code }: ConfigError, reason: string): [code: string, library?: string] {
  if (code !== 'ERR_AWS_LC_CONFIG_CERT') return [code];
  return [`ERR_OSSL_ASN1_${reason.toUpperCase().replaceAll(' ', '_')}`, 'asn1 encoding routines'];
}

/**
 * Runs what makes a configuration. A {@link ConfigError} that Node has words for is thrown as the `cause` of an error with
 * Node's code, in front of whose message stand OpenSSL's words, also as `reason`, and `library` as Node has it. Where Node
 * has words and no code, the code stays ours.
 */
export function withNodeErrors<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const reason = error instanceof ConfigError ? reasonOf(error) : undefined;
    if (reason === undefined) throw error;
    const cause = error as ConfigError;
    const [code, library] = CODES[reason] ?? unparsable(cause, reason);
    const told = library === undefined ? {} : { library, reason };
    throw Object.assign(new Error(`${reason}: ${cause.message}`, { cause }), { code, ...told });
  }
}
