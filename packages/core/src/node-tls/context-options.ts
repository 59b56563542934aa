import { requireObject as requireConfigObject } from '../config/checks';
import { ConfigError } from '../errors';
import type { CommonOptions } from '../config/options';
import { TICKET_KEY_LENGTH, TicketKeys } from '../session/ticket-keys';
import { assignable } from './assignable';
import { defaultCiphers } from './ciphers';
import {
  invalidArgType,
  invalidArgValue,
  requireBuffer,
  requireInteger,
  requireObject,
  requireString,
  withCode,
} from './node-errors';

/** Options of `tls.createSecureContext` by name, before they are looked at. */
export type LooseOptions = Readonly<Record<string, unknown>>;

/** The options that describe a context; all else describes one connection or server. */
const PASSED_ON = [
  'allowPartialTrustChain',
  'ca',
  'caFile',
  'cert',
  'certFile',
  'cipherSuites',
  'clientCertEngine',
  'crl',
  'dhparam',
  'groups',
  'honorCipherOrder',
  'key',
  'keyFile',
  'ktls',
  'ktlsAeadOnly',
  'passphrase',
  'pfx',
  'privateKey',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'pskCallback',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'strictClose',
  'ticketKeys',
] as const;

/**
 * Checks options as `tls.createSecureContext` does, with Node's errors, and puts them into the form of the
 * configurations: Node ignores what is null, and of some options what is falsy.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_TLS_INVALID_PROTOCOL_VERSION,
 *   ERR_TLS_PROTOCOL_VERSION_CONFLICT, ERR_TLS_INVALID_PROTOCOL_METHOD
 */
export function toContextOptions(options: unknown): CommonOptions {
  requireObject(options, 'options');
  requireConfigObject(options);
  const given = options as LooseOptions;
  const result: Record<string, unknown> = {};
  for (const name of PASSED_ON) {
    const value = given[name];
    if (value !== undefined && value !== null) result[name] = value;
  }
  for (const name of ['ca', 'cert', 'key'] as const) {
    // Node lets these be anything falsy.
    if (!given[name]) delete result[name];
    else result[name] = toMaterials(given[name], `options.${name}`);
  }
  // Node's server takes anything.
  if ('honorCipherOrder' in result) result.honorCipherOrder = Boolean(result.honorCipherOrder);
  checkTypes(given);
  refuse(given);
  return {
    ...result,
    ...toVersions(given),
    ...toCiphers(given),
    ...toCurves(given),
    secureOptions: toSwitches(given.secureOptions),
  };
}

function checkTypes(given: LooseOptions): void {
  const { sessionIdContext, sessionTimeout, ticketKeys, sigalgs, crl, passphrase } = given;
  if (isGiven(passphrase) && given.key) requireString(passphrase, 'options.passphrase');
  if (isGiven(sigalgs)) {
    requireString(sigalgs, 'options.sigalgs');
    if (sigalgs === '') throw invalidArgValue('options.sigalgs', sigalgs);
  }
  if (isGiven(crl)) toMaterials(crl, 'options.crl');
  if (isGiven(sessionIdContext)) requireString(sessionIdContext, 'options.sessionIdContext');
  if (isGiven(sessionTimeout)) {
    requireInteger(sessionTimeout, 'options.sessionTimeout', 0, 2 ** 31 - 1);
  }
  if (isGiven(ticketKeys)) checkTicketKeys(ticketKeys);
  for (const name of ['clientCertEngine', 'privateKeyIdentifier', 'privateKeyEngine']) {
    const value = given[name];
    if (isGiven(value) && typeof value !== 'string') {
      throw invalidArgType(`options.${name}`, 'of type string or one of null or undefined', value);
    }
  }
}

/** @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function checkTicketKeys(keys: unknown): void {
  if (keys instanceof TicketKeys) return;
  requireBuffer(keys, 'options.ticketKeys');
  if (keys.byteLength === TICKET_KEY_LENGTH) return;
  const reason = `must be exactly ${TICKET_KEY_LENGTH} bytes`;
  throw invalidArgValue('options.ticketKeys', keys.byteLength, reason);
}

/** Options that name what AWS-LC has not, and what to do about it. */
const REFUSED: Record<string, string> = {
  dhparam: 'AWS-LC has no DHE; elliptic curves need no parameters',
  privateKeyIdentifier: 'AWS-LC has no engines',
  pskIdentityHint: 'AWS-LC has no pre-shared keys in TLS 1.3',
};

function refuse(given: LooseOptions): void {
  for (const [name, advice] of Object.entries(REFUSED)) {
    // Node chooses parameters itself where it is told 'auto', which comes to nothing here.
    if (!given[name] || given[name] === 'auto') continue;
    throw new ConfigError('ERR_AWS_LC_CONFIG_UNSUPPORTED', name, advice);
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function toMaterials(value: unknown, name: string): unknown {
  if (!Array.isArray(value)) return toMaterial(value, name);
  return value.map((entry) => (name === 'options.key' ? toKey(entry) : toMaterial(entry, name)));
}

function toKey(entry: unknown): unknown {
  const { pem, passphrase } = (entry ?? {}) as { pem?: unknown; passphrase?: unknown };
  if (pem === undefined) return toMaterial(entry, 'options.key');
  if (isGiven(passphrase)) requireString(passphrase, 'options.passphrase');
  return { pem: toMaterial(pem, 'options.key'), passphrase: passphrase ?? undefined };
}

function toMaterial(value: unknown, name: string): unknown {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  throw invalidArgType(
    name,
    'of type string or an instance of Buffer, TypedArray, or DataView',
    value,
  );
}

// --- versions ------------------------------------------------------------------------------------

type Versions = Pick<CommonOptions, 'minVersion' | 'maxVersion'>;

const VERSIONS: readonly unknown[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function toVersion(which: 'minimum' | 'maximum', value: unknown): CommonOptions['minVersion'] {
  if (VERSIONS.includes(value)) return value as CommonOptions['minVersion'];
  const message = `${JSON.stringify(value)} is not a valid ${which} TLS protocol version`;
  throw withCode(new TypeError(message), 'ERR_TLS_INVALID_PROTOCOL_VERSION');
}

function toVersions({ minVersion, maxVersion, secureProtocol }: LooseOptions): Versions {
  const { DEFAULT_MIN_VERSION, DEFAULT_MAX_VERSION } = assignable();
  if (secureProtocol) {
    for (const version of [minVersion, maxVersion]) {
      if (!isGiven(version)) continue;
      const message = `TLS protocol version ${JSON.stringify(version)} conflicts with secureProtocol ${JSON.stringify(secureProtocol)}`;
      throw withCode(new TypeError(message), 'ERR_TLS_PROTOCOL_VERSION_CONFLICT');
    }
    return fromMethod(secureProtocol, DEFAULT_MIN_VERSION);
  }
  return {
    minVersion: toVersion('minimum', minVersion ?? DEFAULT_MIN_VERSION),
    maxVersion: toVersion('maximum', maxVersion ?? DEFAULT_MAX_VERSION),
  };
}

/** OpenSSL's names for what became minVersion and maxVersion. */
function fromMethod(method: unknown, defaultMinimum: unknown): Versions {
  const fail = (message: string): never => {
    throw withCode(new TypeError(message), 'ERR_TLS_INVALID_PROTOCOL_METHOD');
  };
  if (typeof method !== 'string') {
    throw invalidArgType('options.secureProtocol', 'of type string', method);
  }
  const name = /^(.*?)(?:_server|_client)?_method$/.exec(method)?.[1] ?? '';
  switch (name) {
    case 'SSLv2':
    case 'SSLv3':
      return fail(`${name} methods disabled`);
    case 'SSLv23':
      return { minVersion: toVersion('minimum', defaultMinimum), maxVersion: 'TLSv1.2' };
    case 'TLS':
      return { minVersion: 'TLSv1', maxVersion: 'TLSv1.3' };
    case 'TLSv1':
    case 'TLSv1_1':
    case 'TLSv1_2': {
      const version = name.replace('_', '.') as CommonOptions['minVersion'];
      return { minVersion: version, maxVersion: version };
    }
    default:
      return fail(`Unknown method: ${method}`);
  }
}

// --- suites and groups ---------------------------------------------------------------------------

const INITIAL_CIPHERS = defaultCiphers();

/**
 * Node's rule: suites of TLS 1.3 alone make that the lowest version, but a list without any leaves those of TLS 1.3 as
 * they are.
 */
function toCiphers({ ciphers, cipherSuites }: LooseOptions): Pick<CommonOptions, 'ciphers'> {
  if (isGiven(ciphers)) requireString(ciphers, 'options.ciphers');
  if (cipherSuites !== undefined && !isGiven(ciphers)) return {};
  const list = (ciphers as string | undefined) || assignable().DEFAULT_CIPHERS;
  if (list === INITIAL_CIPHERS) return {};
  const rules = list.split(/[:, ]/).filter(Boolean);
  if (rules.length === 0) throw invalidArgValue('options.ciphers', list.split(':'));
  const excluded = rules.filter((rule) => rule.startsWith('!TLS_')).map((rule) => rule.slice(1));
  const kept = rules.filter((rule) => !rule.startsWith('!TLS_'));
  if (!kept.some((rule) => rule.startsWith('TLS_'))) {
    kept.unshift(...INITIAL_CIPHERS.split(':').filter((name) => name.startsWith('TLS_')));
  }
  return { ciphers: kept.filter((rule) => !excluded.includes(rule)).join(':') };
}

function toCurves({ ecdhCurve, groups }: LooseOptions): Pick<CommonOptions, 'ecdhCurve'> {
  if (groups !== undefined && ecdhCurve === undefined) return {};
  const curves = ecdhCurve === undefined ? assignable().DEFAULT_ECDH_CURVE || 'auto' : ecdhCurve;
  requireString(curves, 'options.ecdhCurve');
  return { ecdhCurve: curves };
}

function toSwitches(value: unknown): number | undefined {
  if (!value) return undefined;
  if (typeof value !== 'number') {
    throw invalidArgType('secureOptions', 'of type number', value);
  }
  requireInteger(value, 'secureOptions', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return value;
}
