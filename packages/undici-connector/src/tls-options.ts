import { createHash, type Hash } from 'node:crypto';
import type { ClientConfigOptions } from '@node-aws-lc/core';

/**
 * What a TLS connection is made from, beside where it leads and what it resumes: those that differ
 * in one of these must neither share a pool nor a session. The type has every option of core's here.
 */
const CONFIGURING: Record<Exclude<keyof ClientConfigOptions, 'session' | 'servername'>, true> &
  Record<string, true> = {
  ALPNProtocols: true,
  alpnProtocols: true,
  ca: true,
  caFile: true,
  cert: true,
  certFile: true,
  checkServerIdentity: true,
  cipherSuites: true,
  ciphers: true,
  ecdhCurve: true,
  groups: true,
  handshakeTimeout: true,
  key: true,
  keyFile: true,
  ktls: true,
  ktlsAeadOnly: true,
  maxVersion: true,
  minVersion: true,
  passphrase: true,
  rejectUnauthorized: true,
  secureOptions: true,
  strictClose: true,
  // Of node:tls only.
  allowPartialTrustChain: true,
  clientCertEngine: true,
  crl: true,
  dhparam: true,
  honorCipherOrder: true,
  minDHSize: true,
  pfx: true,
  privateKey: true,
  privateKeyEngine: true,
  privateKeyIdentifier: true,
  pskCallback: true,
  requestOCSP: true,
  secureContext: true,
  secureProtocol: true,
  sessionIdContext: true,
  sigalgs: true,
};

const NAMES = Object.keys(CONFIGURING).sort();

/** The TLS options among `options`: those that are given, and differ from `others`. */
export function configuringOptions(
  options: object,
  others: Record<string, unknown> = {},
): Record<string, unknown> {
  const all = options as Record<string, unknown>;
  const names = NAMES.filter((name) => all[name] !== undefined && all[name] !== others[name]);
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

/** Objects that can only be told apart by which they are: functions, contexts, keys. */
const identities = new WeakMap<object, number>();
let identitiesGiven = 0;

/** A name for a TLS configuration: equal for equal ones, with nothing of a key to be read in it. */
export function fingerprint(configuring: Record<string, unknown>): string {
  const hash = createHash('sha256');
  add(hash, configuring);
  return hash.digest('base64url');
}

/** Every value is preceded by its type and length, so that no two values make the same bytes. */
function add(hash: Hash, value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    addObject(hash, value);
  } else if (typeof value === 'function') {
    hash.update(`identity ${identityOf(value)};`);
  } else {
    const text = String(value);
    hash.update(`${typeof value} ${text.length} ${text};`);
  }
}

function addObject(hash: Hash, value: object): void {
  if (value instanceof Uint8Array) {
    hash.update(`bytes ${value.length} `).update(value);
  } else if (Array.isArray(value)) {
    hash.update(`list ${value.length} `);
    for (const element of value) add(hash, element);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value);
    hash.update(`object ${entries.length} `);
    for (const [name, element] of entries) {
      add(hash, name);
      add(hash, element);
    }
  } else {
    hash.update(`identity ${identityOf(value)};`);
  }
}

function identityOf(value: object): number {
  let identity = identities.get(value);
  if (identity === undefined) {
    identity = ++identitiesGiven;
    identities.set(value, identity);
  }
  return identity;
}
