import * as native from '@node-aws-lc/native';
import { ConfigError } from '../errors';
import { toBoolean, toSwitches } from './checks';
import type { CommonOptions, TlsVersion } from './options';

/** Protocol versions and suites as the native context takes them. */
export interface Algorithms {
  minVersion: number;
  maxVersion: number;
  cipherList?: string | undefined;
  cipherSuites?: string | undefined;
  groups?: string | undefined;
}

/** Suites and lowest version of one connection, narrower than its context's. */
export interface NarrowedSuites {
  /** TLS 1.2; undefined for none. */
  cipherList: string | undefined;
  minVersion: number;
}

const VERSIONS = new Map<unknown, number>([
  ['TLSv1', 0x0301],
  ['TLSv1.1', 0x0302],
  ['TLSv1.2', 0x0303],
  ['TLSv1.3', 0x0304],
]);

/** The AEADs that the kernel's record layer knows: AES-GCM and ChaCha20-Poly1305. */
const KERNEL_AEAD = /GCM|CHACHA20/;

let suites: ReturnType<typeof native.cipherSuites> | undefined;

function knownSuites(): ReturnType<typeof native.cipherSuites> {
  return (suites ??= native.cipherSuites());
}

function toVersion(
  option: 'minVersion' | 'maxVersion',
  value: unknown,
  fallback: TlsVersion,
): number {
  const version = VERSIONS.get(value ?? fallback);
  if (version !== undefined) return version;
  throw new ConfigError('ERR_AWS_LC_CONFIG_VERSION', option, `unknown version ${String(value)}`);
}

interface SuiteSelection {
  tls12: string[];
  tls13: string[];
}

function fromSuites(list: unknown): SuiteSelection {
  if (!Array.isArray(list) || list.length === 0) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'cipherSuites', 'expected a list of names');
  }
  const selection: SuiteSelection = { tls12: [], tls13: [] };
  for (const name of list as unknown[]) {
    const suite = knownSuites().find((known) => known.name === name || known.standardName === name);
    if (suite === undefined) {
      throw new ConfigError(
        'ERR_AWS_LC_CONFIG_CIPHER',
        'cipherSuites',
        `unknown cipher suite ${String(name)}`,
      );
    }
    (suite.tls13 ? selection.tls13 : selection.tls12).push(suite.name);
  }
  return selection;
}

/** node:tls's form: names of TLS 1.3 suites and OpenSSL list rules in one string. */
function fromCipherString(list: unknown): SuiteSelection {
  if (typeof list !== 'string') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'ciphers', 'expected a string');
  }
  // AWS-LC has no security levels; the lists that lower OpenSSL's must go on working.
  const rules = list
    .replaceAll(/@SECLEVEL=\d/g, '')
    .split(/[:, ]/)
    .filter(Boolean);
  if (rules.length === 0) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CIPHER', 'ciphers', 'the list is empty');
  }
  const tls13: string[] = [];
  const others: string[] = [];
  for (const rule of rules) {
    const suite = knownSuites().find((known) => known.name === rule || known.standardName === rule);
    if (suite?.tls13) tls13.push(suite.name);
    else if (suite === undefined && rule.startsWith('TLS_')) {
      throw new ConfigError('ERR_AWS_LC_CONFIG_CIPHER', 'ciphers', `unknown cipher suite ${rule}`);
    } else others.push(suite?.name ?? rule);
  }
  if (others.length === 0) return { tls12: [], tls13 };
  try {
    return { tls12: native.resolveCipherList(others.join(':')), tls13 };
  } catch (cause) {
    const reason = (cause as { reason?: string }).reason ?? '';
    const detail = reason.toLowerCase().replaceAll('_', ' ') || 'no suite is left';
    throw new ConfigError('ERR_AWS_LC_CONFIG_CIPHER', 'ciphers', detail, cause);
  }
}

/** Pre-shared keys cannot be configured, so suites that need them only make the handshake longer. */
function defaultSuites(): SuiteSelection {
  const usable = knownSuites().filter((suite) => !suite.name.includes('PSK'));
  return {
    tls12: usable.filter((suite) => !suite.tls13).map((suite) => suite.name),
    tls13: usable.filter((suite) => suite.tls13).map((suite) => suite.name),
  };
}

function selectSuites(
  options: CommonOptions,
): SuiteSelection & { chosen: 'cipherSuites' | 'ciphers' | undefined } {
  const { cipherSuites, ciphers } = options;
  if (cipherSuites !== undefined && ciphers !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'ciphers', '`cipherSuites` is given too');
  }
  if (cipherSuites !== undefined) return { ...fromSuites(cipherSuites), chosen: 'cipherSuites' };
  if (ciphers !== undefined) return { ...fromCipherString(ciphers), chosen: 'ciphers' };
  return { ...defaultSuites(), chosen: undefined };
}

function toGroups({ groups, ecdhCurve }: CommonOptions): string | undefined {
  if (groups !== undefined && ecdhCurve !== undefined) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_CONFLICT', 'ecdhCurve', '`groups` is given too');
  }
  const option = groups === undefined ? 'ecdhCurve' : 'groups';
  const value: unknown = groups ?? ecdhCurve;
  if (value === undefined || (option === 'ecdhCurve' && value === 'auto')) return undefined;
  const names: unknown =
    option === 'ecdhCurve' && typeof value === 'string' ? value.split(':') : value;
  if (!Array.isArray(names) || names.length === 0) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', option, 'expected names of groups');
  }
  const known = native.groups();
  for (const name of names as unknown[]) {
    const aliases = GROUP_ALIASES.get(name) ?? String(name);
    if (!known.includes(aliases)) {
      throw new ConfigError('ERR_AWS_LC_CONFIG_GROUP', option, `unknown group ${String(name)}`);
    }
  }
  return (names as string[]).map((name) => GROUP_ALIASES.get(name) ?? name).join(':');
}

/** Other names under which OpenSSL's and the RFCs' users know the groups. */
const GROUP_ALIASES = new Map<unknown, string>([
  ['prime256v1', 'P-256'],
  ['secp256r1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
  ['x25519', 'X25519'],
]);

/** What `secureOptions` leaves of a range of versions. */
function withoutVersions(
  lowest: number,
  highest: number,
  { secureOptions }: CommonOptions,
): { minVersion: number; maxVersion: number } {
  const { disabledVersions } = toSwitches(secureOptions);
  const left: number[] = [];
  for (let version = lowest; version <= highest; version++) {
    if (!disabledVersions.includes(version)) left.push(version);
  }
  const minVersion = left[0];
  const maxVersion = left.at(-1);
  const refuse = (detail: string): never => {
    throw new ConfigError('ERR_AWS_LC_CONFIG_VERSION', 'secureOptions', detail);
  };
  if (minVersion === undefined || maxVersion === undefined) return refuse('no version is left');
  // A client offers a range; what it cannot say is "these two and not the one between".
  if (maxVersion - minVersion >= left.length) return refuse('there is a gap between the versions');
  return { minVersion, maxVersion };
}

/**
 * Chooses versions, cipher suites and groups.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_VERSION, …_CIPHER, …_GROUP, …_TYPE, …_CONFLICT
 */
export function toAlgorithms(options: CommonOptions): Algorithms {
  let minVersion = toVersion('minVersion', options.minVersion, 'TLSv1.2');
  // Somebody who lowers only the maximum means versions up to it.
  let maxVersion = toVersion('maxVersion', options.maxVersion, 'TLSv1.3');
  if (options.minVersion === undefined && maxVersion < minVersion) minVersion = maxVersion;
  if (minVersion > maxVersion) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_VERSION',
      'minVersion',
      `${String(options.minVersion)} is above ${options.maxVersion ?? 'TLSv1.3'}`,
    );
  }
  ({ minVersion, maxVersion } = withoutVersions(minVersion, maxVersion, options));
  const { tls12, tls13, chosen } = selectSuites(options);
  const aeadOnly = toBoolean('ktlsAeadOnly', options.ktlsAeadOnly, false);
  const usable12 = aeadOnly ? tls12.filter((name) => KERNEL_AEAD.test(name)) : tls12;
  if (chosen !== undefined) {
    if (usable12.length === 0) minVersion = Math.max(minVersion, 0x0304);
    if (tls13.length === 0) maxVersion = Math.min(maxVersion, 0x0303);
    if (minVersion > maxVersion) {
      throw new ConfigError(
        'ERR_AWS_LC_CONFIG_CIPHER',
        chosen,
        'none is usable in the chosen versions',
      );
    }
  }
  const algorithms = {
    minVersion,
    maxVersion,
    cipherList: usable12.length > 0 ? usable12.join(':') : undefined,
    cipherSuites: tls13.length > 0 ? tls13.join(':') : undefined,
    groups: toGroups(options),
  };
  if (!aeadOnly) return algorithms;
  const kernelOnly = kernelSuites(algorithms);
  if (kernelOnly === undefined) throw noKernelSuites();
  return { ...algorithms, minVersion: kernelOnly.minVersion };
}

/**
 * What is left of the algorithms where the kernel is to know every suite; undefined where nothing is. TLS 1.3 has no suite
 * that it does not know.
 */
export function kernelSuites(algorithms: Algorithms): NarrowedSuites | undefined {
  const aead12 = (algorithms.cipherList?.split(':') ?? []).filter((name) => KERNEL_AEAD.test(name));
  const lowest = Math.max(algorithms.minVersion, aead12.length > 0 ? 0x0303 : 0x0304);
  if (lowest > algorithms.maxVersion) return undefined;
  return { cipherList: aead12.length > 0 ? aead12.join(':') : undefined, minVersion: lowest };
}

function noKernelSuites(): ConfigError {
  return new ConfigError(
    'ERR_AWS_LC_CONFIG_CIPHER',
    'ktlsAeadOnly',
    'of the chosen versions and suites the kernel knows none',
  );
}

/**
 * How one connection is narrowed by its own `ktlsAeadOnly`; `false` and undefined leave it the configuration's suites.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_CIPHER where nothing would be left, ERR_AWS_LC_CONFIG_TYPE
 */
export function toNarrowed(
  ktlsAeadOnly: unknown,
  kernelOnly: NarrowedSuites | undefined,
): NarrowedSuites | undefined {
  if (!toBoolean('ktlsAeadOnly', ktlsAeadOnly, false)) return undefined;
  if (kernelOnly === undefined) throw noKernelSuites();
  return kernelOnly;
}
