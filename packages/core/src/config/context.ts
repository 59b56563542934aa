import { Context, type ContextOptions } from '@node-aws-lc/native';
import { ConfigError, type ConfigErrorCode } from '../errors';

interface NativeFailure extends Error {
  operation?: string;
  reason?: string;
}

/** The option that each part of the native context is built from. */
const OPERATIONS: Record<string, [option: string, code: ConfigErrorCode]> = {
  key: ['key', 'ERR_AWS_LC_CONFIG_KEY'],
  cert: ['cert', 'ERR_AWS_LC_CONFIG_CERT'],
  ca: ['ca', 'ERR_AWS_LC_CONFIG_CA'],
  crl: ['crl', 'ERR_AWS_LC_CONFIG_CRL'],
  sigalgs: ['sigalgs', 'ERR_AWS_LC_CONFIG_SIGALGS'],
  keyMismatch: ['key', 'ERR_AWS_LC_CONFIG_KEY_MISMATCH'],
  minVersion: ['minVersion', 'ERR_AWS_LC_CONFIG_VERSION'],
  maxVersion: ['maxVersion', 'ERR_AWS_LC_CONFIG_VERSION'],
  cipherList: ['ciphers', 'ERR_AWS_LC_CONFIG_CIPHER'],
  cipherSuites: ['cipherSuites', 'ERR_AWS_LC_CONFIG_CIPHER'],
  groups: ['groups', 'ERR_AWS_LC_CONFIG_GROUP'],
  alpn: ['ALPNProtocols', 'ERR_AWS_LC_CONFIG_ALPN'],
};

const CERT = 'ERR_AWS_LC_CONFIG_CERT';

/** What libcrypto says when an encrypted key cannot be opened. */
const PASSPHRASE_REASONS =
  /BAD_PASSWORD_READ|BAD_DECRYPT|PASSWORD|PASS_PHRASE|CIPHER_FINAL|DECRYPT/;

/** What the native code refused, as a ConfigError. */
export function explain(failure: NativeFailure, keys: ContextOptions['keys'] = []): ConfigError {
  const [option, code] = OPERATIONS[failure.operation ?? ''] ?? [
    'options',
    'ERR_AWS_LC_CONFIG_TYPE',
  ];
  const reason = (failure.reason || failure.message).toLowerCase().replaceAll('_', ' ');
  if (failure.operation === 'key' && PASSPHRASE_REASONS.test(failure.reason ?? '')) {
    const detail = keys.some((key) => key.passphrase !== undefined)
      ? 'wrong passphrase, or a damaged key'
      : 'it is encrypted and no passphrase is given';
    return new ConfigError('ERR_AWS_LC_CONFIG_PASSPHRASE', 'passphrase', detail, failure);
  }
  return new ConfigError(code, option, reason, failure, code === CERT ? reason : undefined);
}

/** Builds the native context; what it refuses becomes a ConfigError. */
export function buildContext(options: ContextOptions): Context {
  try {
    return new Context(options);
  } catch (error) {
    throw explain(error as NativeFailure, options.keys);
  }
}
