import type { ServerConfigOptions } from './options';

/** Options that say one thing between them: who gives one of them gives all of them. */
const GROUPS = [
  ['key', 'cert', 'keyFile', 'certFile', 'pfx', 'passphrase', 'privateKey'],
  ['ca', 'caFile'],
  ['clientAuth', 'requestCert', 'rejectUnauthorized'],
  ['cipherSuites', 'ciphers'],
  ['groups', 'ecdhCurve'],
  ['ALPNProtocols', 'alpnProtocols'],
] as const;

/** `current` with what `next` changes: a new key never meets an old passphrase. */
export function renewOptions(
  current: ServerConfigOptions,
  next: Partial<ServerConfigOptions>,
): ServerConfigOptions {
  const given = next as Record<string, unknown>;
  const kept: Record<string, unknown> = { ...current };
  for (const group of GROUPS) {
    if (group.every((name) => given[name] === undefined)) continue;
    for (const name of group) delete kept[name];
  }
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...kept, ...Object.fromEntries(changes) };
}
