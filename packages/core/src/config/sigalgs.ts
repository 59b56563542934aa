import { ConfigError } from '../errors';

/** The signature schemes that AWS-LC has, by their names in RFC 8446, section 4.2.3, and in OpenSSL's lists. */
const SCHEMES: [number: number, name: string, ...aliases: string[]][] = [
  [0x0201, 'rsa_pkcs1_sha1', 'RSA+SHA1'],
  [0x0401, 'rsa_pkcs1_sha256', 'RSA+SHA256'],
  [0x0501, 'rsa_pkcs1_sha384', 'RSA+SHA384'],
  [0x0601, 'rsa_pkcs1_sha512', 'RSA+SHA512'],
  [0x0203, 'ecdsa_sha1', 'ECDSA+SHA1'],
  [0x0403, 'ecdsa_secp256r1_sha256', 'ECDSA+SHA256'],
  [0x0503, 'ecdsa_secp384r1_sha384', 'ECDSA+SHA384'],
  [0x0603, 'ecdsa_secp521r1_sha512', 'ECDSA+SHA512'],
  [0x0804, 'rsa_pss_rsae_sha256', 'RSA-PSS+SHA256', 'PSS+SHA256'],
  [0x0805, 'rsa_pss_rsae_sha384', 'RSA-PSS+SHA384', 'PSS+SHA384'],
  [0x0806, 'rsa_pss_rsae_sha512', 'RSA-PSS+SHA512', 'PSS+SHA512'],
  [0x0807, 'ed25519'],
  [0x0904, 'mldsa44'],
  [0x0905, 'mldsa65'],
  [0x0906, 'mldsa87'],
];

const NUMBERS = new Map(
  SCHEMES.flatMap(([number, ...names]) => names.map((name) => [name.toLowerCase(), number])),
);

const NAMES = new Map(SCHEMES.map(([number, name, alias]) => [number, alias ?? name]));

/** A scheme by the name that OpenSSL puts together from key and digest, as `node:tls` has it: 'RSA-PSS+SHA256'. */
export function toSigalgName(scheme: number): string {
  const name = NAMES.get(scheme) ?? `0x${scheme.toString(16).padStart(4, '0')}`;
  if (name.includes('+')) return name;
  return `${name === 'ed25519' ? 'Ed25519' : name}+UNDEF`;
}

/**
 * The numbers of `sigalgs`, a list in OpenSSL's form, in its order.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_SIGALGS, ERR_AWS_LC_CONFIG_TYPE
 */
export function toSigalgs(list: unknown): number[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (typeof list !== 'string') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'sigalgs', 'expected a string');
  }
  if (list === '') throw new ConfigError('ERR_AWS_LC_CONFIG_SIGALGS', 'sigalgs', 'it is empty');
  const numbers = list.split(':').map((name) => {
    const number = NUMBERS.get(name.toLowerCase());
    if (number !== undefined) return number;
    throw new ConfigError('ERR_AWS_LC_CONFIG_SIGALGS', 'sigalgs', `unknown: ${name}`);
  });
  return [...new Set(numbers)];
}
