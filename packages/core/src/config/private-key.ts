import { X509Certificate } from 'node:crypto';
import { ConfigError, TlsError, type TlsSide } from '../errors';
import type { Answerer, Answerers } from '../stream/questions';
import type { Algorithms } from './algorithms';
import { toCertificates } from './material';
import type { CommonOptions } from './options';

/** Signature algorithms, by their names in RFC 8446, section 4.2.3. */
const ALGORITHMS = {
  rsa_pkcs1_sha256: { number: 0x0401, key: 'rsa' },
  rsa_pkcs1_sha384: { number: 0x0501, key: 'rsa' },
  rsa_pkcs1_sha512: { number: 0x0601, key: 'rsa' },
  ecdsa_secp256r1_sha256: { number: 0x0403, key: 'prime256v1' },
  ecdsa_secp384r1_sha384: { number: 0x0503, key: 'secp384r1' },
  ecdsa_secp521r1_sha512: { number: 0x0603, key: 'secp521r1' },
  rsa_pss_rsae_sha256: { number: 0x0804, key: 'rsa' },
  rsa_pss_rsae_sha384: { number: 0x0805, key: 'rsa' },
  rsa_pss_rsae_sha512: { number: 0x0806, key: 'rsa' },
  ed25519: { number: 0x0807, key: 'ed25519' },
} as const;

/** What a {@link RemotePrivateKey} can be asked to sign with (RFC 8446, section 4.2.3). */
export type SignatureAlgorithm = keyof typeof ALGORITHMS;

/** A private key that lives elsewhere: in a security module, with a key management service, in another process. */
export interface RemotePrivateKey {
  /** What it can sign with, in order of preference. The PKCS#1 ones are for TLS 1.2 only. */
  algorithms: SignatureAlgorithm[];
  /**
   * Signs. The handshake waits, for `handshakeTimeout` at most, and nothing else does.
   *
   * @param algorithm one of `algorithms`
   * @param data the message itself; hashing it, where the algorithm does, is part of signing
   * @param signal fires when nobody waits for the signature any more
   * @returns the signature: DER for ECDSA; for RSA-PSS with a salt as long as the hash
   */
  sign(
    algorithm: SignatureAlgorithm,
    data: Buffer,
    signal: AbortSignal,
  ): Promise<Uint8Array> | Uint8Array;
}

/** What the native context is told of such a key. */
export interface RemoteIdentity {
  chains: [[leaf: Buffer, ...issuers: Buffer[]]];
  signsElsewhere: true;
  signingAlgorithms: number[];
}

const SIGNATURE = 4;

function invalid(detail: string): ConfigError {
  return new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'privateKey', detail);
}

/** The kind of key that a certificate is for, as {@link ALGORITHMS} calls it. */
function kindOfKey(leaf: Buffer): string | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(leaf).publicKey;
  return asymmetricKeyType === 'ec' ? asymmetricKeyDetails?.namedCurve : asymmetricKeyType;
}

function toNumbers(algorithms: unknown, leaf: Buffer): number[] {
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw invalid('algorithms: expected names from RFC 8446, section 4.2.3');
  }
  const kind = kindOfKey(leaf);
  return (algorithms as unknown[]).map((name) => {
    if (typeof name !== 'string' || !Object.hasOwn(ALGORITHMS, name)) {
      throw invalid(`algorithms: unknown algorithm ${String(name)}`);
    }
    const { number, key } = ALGORITHMS[name as SignatureAlgorithm];
    if (key === kind) return number;
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_KEY_MISMATCH',
      'privateKey',
      `${name} is not for the certificate's key (${kind})`,
    );
  });
}

/**
 * The identity that `privateKey` and `cert` make, or undefined where there is no `privateKey`.
 *
 * @throws ConfigError
 */
export function toRemoteIdentity(options: CommonOptions): RemoteIdentity | undefined {
  const { privateKey, cert, key, keyFile, pfx } = options;
  if (privateKey === undefined) return undefined;
  const given = privateKey as Partial<RemotePrivateKey> | null;
  if (given === null || typeof given !== 'object' || typeof given.sign !== 'function') {
    throw invalid('expected { algorithms, sign }');
  }
  if (key !== undefined || keyFile !== undefined || pfx !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'privateKey', 'another key is given too');
  }
  if (cert === undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_MISSING', 'cert', '`privateKey` needs its `cert`');
  }
  const parts: unknown[] = Array.isArray(cert) ? cert : [cert];
  const chain = parts.flatMap((part) => toCertificates(part, 'cert', 'ERR_AWS_LC_CONFIG_CERT'));
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_MISSING', 'cert', 'the array is empty');
  }
  const signingAlgorithms = toNumbers(given.algorithms, leaf);
  return { chains: [[leaf, ...issuers]], signsElsewhere: true, signingAlgorithms };
}

/** OpenSSL's names of the suites that do not decrypt with the private key. */
const SIGNING_SUITE = /^(ECDHE|DHE|TLS)[-_]/;

/**
 * The algorithms without RSA key exchange, for which a key has to decrypt; who asks for it is refused.
 *
 * @throws ConfigError `ERR_AWS_LC_CONFIG_CIPHER`
 */
export function withoutDecryption(algorithms: Algorithms, options: CommonOptions): Algorithms {
  const suites = algorithms.cipherList?.split(':') ?? [];
  const decrypting = suites.filter((suite) => !SIGNING_SUITE.test(suite));
  if (decrypting.length === 0) return algorithms;
  if (options.ciphers !== undefined || options.cipherSuites !== undefined) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_CIPHER',
      'privateKey',
      `RSA key exchange has the key decrypt, and it can only sign: ${decrypting.join(', ')}`,
    );
  }
  return { ...algorithms, cipherList: suites.filter((s) => SIGNING_SUITE.test(s)).join(':') };
}

/** DER's SEQUENCE, of which the signatures of ECDSA are one (RFC 3279, section 2.2.3). */
const SEQUENCE = 0x30;
/** The curves of ECDSA. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Bytes of the longest signature of each curve. */
const LONGEST: Record<string, number> = {
  prime256v1: 72,
  secp384r1: 104,
  secp521r1: 139,
  ed25519: 64,
};

function longestSignature(leaf: Buffer, kind: string): number {
  const { modulusLength = 0 } = new X509Certificate(leaf).publicKey.asymmetricKeyDetails ?? {};
  return LONGEST[kind] ?? Math.ceil(modulusLength / 8);
}

/** What cannot be a signature, in words: libssl would have none, or leave them to the peer. */
function checkSignature(answer: unknown, kind: string, longest: number): Uint8Array {
  if (!(answer instanceof Uint8Array) || answer.length === 0) {
    throw new TypeError('it answered with something that is no signature');
  }
  if (answer.length > longest) {
    throw new TypeError(
      `it answered with ${answer.length} bytes, and its signatures have ${longest} at most`,
    );
  }
  if (CURVES.has(kind) && answer[0] !== SEQUENCE) {
    throw new TypeError('its signature is not in DER, as those of ECDSA are');
  }
  return answer;
}

/** What answers the question for a signature. */
export function signer(
  privateKey: RemotePrivateKey,
  { chains: [[leaf]] }: RemoteIdentity,
  side: TlsSide,
): Answerers {
  const names = new Map<number, SignatureAlgorithm>();
  for (const name of privateKey.algorithms) names.set(ALGORITHMS[name].number, name);
  const kind = kindOfKey(leaf) ?? '';
  const longest = longestSignature(leaf, kind);
  const answer: Answerer = async ({ detail, data }, { signal }) => {
    try {
      const algorithm = names.get(detail) as SignatureAlgorithm;
      return checkSignature(await privateKey.sign(algorithm, data, signal), kind, longest);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the private key did not sign: ${why}`;
      throw new TlsError('ERR_AWS_LC_PRIVATE_KEY', message, { side, cause });
    }
  };
  return { [SIGNATURE]: answer };
}
