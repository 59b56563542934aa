import { release } from 'node:os';

/** Major, minor and patch level of a Linux release, e.g. `6.1.176`. */
type Release = readonly [major: number, minor: number, patch: number];

/** Parses what `uname -r` prints. */
export function parseRelease(text: string): Release {
  const [, major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []).map(
    Number,
  );
  return [major, minor, patch || 0];
}

const RUNNING = parseRelease(release());

function isAtLeast([major, minor]: Release, wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The first patch level of each maintained series in which both defects are mended. */
const MENDED: Record<string, number> = { '6.1': 154, '6.6': 108, '6.12': 49, '6.16': 9 };

/**
 * Whether the kernel's receive path is free of CVE-2025-39682 (records of zero length confuse what was read with what
 * was decrypted) and CVE-2025-39946 (a record header that is no TLS overruns the parser): older than their origin, or
 * a release in which they are mended. Distributions mend without changing the release: `ignoreKernelFloor` is for them.
 */
export function isReceivePathSafe(version = RUNNING): boolean {
  const [major, minor, patch] = version;
  if (!isAtLeast(version, 6, 0) || isAtLeast(version, 6, 17)) return true;
  const mended = MENDED[`${major}.${minor}`];
  return mended !== undefined && patch >= mended;
}

/** Whether the kernel can take new keys on a connection that has some (KeyUpdate): Linux 6.14. */
export function canRekey(version = RUNNING): boolean {
  return isAtLeast(version, 6, 14);
}
