import type { NativeKey } from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { checkDer, readOption, toBytes, toCertificates, toList, toPassphrase } from './material';
import type { CommonOptions, KeyWithPassphrase, Material } from './options';
import { isPem, parsePem } from './pem';
import { toPfxContents } from './pfx';

/** What one end proves itself with. */
export interface Credentials {
  keys: NativeKey[];
  /** DER, each leaf first. Which key is whose is found out when the context is built. */
  chains: Buffer[][];
  /** What the files of `pfx` hold beside that: trusted, as in `node:tls`. */
  alsoTrusted: Buffer[];
}

function toKey(
  // null is what untyped callers have where a key is missing.
  entry: Material | KeyWithPassphrase | null,
  passphrase: string | undefined,
  option: string,
): NativeKey {
  const wrapped = typeof entry === 'object' && entry !== null && !ArrayBuffer.isView(entry);
  const own = wrapped ? entry.passphrase : undefined;
  const bytes = toBytes(wrapped ? entry.pem : entry, option);
  const secret = toPassphrase(own ?? passphrase);
  if (!isPem(bytes)) {
    checkDer(bytes, option, 'ERR_AWS_LC_CONFIG_KEY');
    return { key: bytes, keyIsPem: false, passphrase: secret };
  }
  const blocks = parsePem(Buffer.from(bytes).toString('latin1'), option);
  const keys = blocks.filter((block) => block.label.endsWith('PRIVATE KEY'));
  const [key] = keys;
  if (key === undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_KEY', option, 'the PEM holds no private key');
  }
  if (keys.length > 1) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_KEY',
      option,
      'the PEM holds more than one private key',
    );
  }
  return { key: Buffer.from(key.text, 'latin1'), keyIsPem: true, passphrase: secret };
}

/** The keys and chains of `key` and `cert`, or of the files that stand for them. */
function toPairs(options: CommonOptions): Pick<Credentials, 'keys' | 'chains'> {
  const { key, keyFile, cert, certFile, passphrase } = options;
  if (options.privateKey !== undefined) return { keys: [], chains: [] };
  if (key !== undefined && keyFile !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'keyFile', '`key` is given too');
  }
  if (cert !== undefined && certFile !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'certFile', '`cert` is given too');
  }
  const keyOption = keyFile === undefined ? 'key' : 'keyFile';
  const certOption = certFile === undefined ? 'cert' : 'certFile';
  const keyMaterial = keyFile === undefined ? key : readOption(keyFile, 'keyFile');
  const certMaterial = certFile === undefined ? cert : readOption(certFile, 'certFile');
  if (keyMaterial === undefined && certMaterial === undefined) return { keys: [], chains: [] };
  if (certMaterial === undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_MISSING',
      'cert',
      'a private key needs its certificate',
    );
  }
  if (keyMaterial === undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_MISSING',
      'key',
      'a certificate needs its private key',
    );
  }
  const keys = toList<Material | KeyWithPassphrase | null>(keyMaterial).map((entry) =>
    toKey(entry, passphrase, keyOption),
  );
  const chains = toList(certMaterial).map((entry) =>
    toCertificates(entry, certOption, 'ERR_AWS_LC_CONFIG_CERT'),
  );
  if (keys.length === 0 || chains.length === 0) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_MISSING',
      keys.length === 0 ? 'key' : 'cert',
      'the array is empty',
    );
  }
  if (keys.length === 1) return { keys, chains: [chains.flat()] };
  if (keys.length !== chains.length) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_CONFLICT',
      'cert',
      `${keys.length} keys need as many chains, got ${chains.length}`,
    );
  }
  return { keys, chains };
}

/**
 * The keys and chains in the options, checked for their form; that each key has its certificate is checked when the
 * context is built.
 */
export function toCredentials(options: CommonOptions): Credentials {
  const pfx = toPfxContents(options);
  const { keys, chains } = toPairs(options);
  return {
    keys: [...keys, ...pfx.keys],
    chains: [...chains, ...pfx.chains],
    alsoTrusted: pfx.others,
  };
}
