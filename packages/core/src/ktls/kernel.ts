import { readFileSync } from 'node:fs';
import { release, version } from 'node:os';

/** Major, minor and patch level of a Linux release, e.g. `6.1.176`. */
type Release = readonly [major: number, minor: number, patch: number];

/** Parses a release, e.g. what `uname -r` prints. */
export function parseRelease(text: string): Release {
  const [, major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []).map(
    Number,
  );
  return [major, minor, patch || 0];
}

/**
 * The release of kernel.org that a kernel was made from. Debian and Ubuntu call all kernels of a series alike in
 * `uname -r` (`6.1.0-56-amd64`) and put the patch level elsewhere.
 *
 * @param name what `uname -r` prints
 * @param build what `uname -v` prints, e.g. `#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-02)`
 * @param signature Ubuntu's `/proc/version_signature`, e.g. `Ubuntu 6.8.0-31.31-generic 6.8.1`
 */
export function upstreamRelease(name: string, build: string, signature = ''): string {
  const own = parseRelease(name);
  const told =
    /\bDebian (\d+\.\d+\.\d+)/.exec(build)?.[1] ?? /^Ubuntu \S+ (\S+)/.exec(signature)?.[1];
  if (told === undefined) return own.join('.');
  const [major, minor] = parseRelease(told);
  return major === own[0] && minor === own[1] ? parseRelease(told).join('.') : own.join('.');
}

/** The release that the running kernel was made from. */
export const runningRelease = upstreamRelease(release(), version(), ubuntuSignature());

const RUNNING = parseRelease(runningRelease);

function ubuntuSignature(): string | undefined {
  try {
    return readFileSync('/proc/version_signature', 'utf8');
  } catch {
    return undefined;
  }
}

function isAtLeast([major, minor]: Release, wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The first patch level of each maintained series in which both defects are mended. */
const MENDED: Record<string, number> = { '6.1': 154, '6.6': 108, '6.12': 49, '6.16': 9 };

/** The first release of this one's series in which both defects are mended, if there is one. */
export function receivePathMendedIn([major, minor]: Release = RUNNING): string | undefined {
  const series = `${major}.${minor}`;
  const patch = MENDED[series];
  return patch === undefined ? undefined : `${series}.${patch}`;
}

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
