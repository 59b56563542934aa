import { existsSync, readFileSync } from 'node:fs';
import { release, version } from 'node:os';

/** Major, minor and patch level of a Linux release, e.g. `6.1.176`. */
type Release = readonly [major: number, minor: number, patch: number];

/** What the kernel counts of its TLS: there while it has TLS, built in or as a module that is loaded. */
const STATISTICS = '/proc/net/tls_stat';

/** Whether this kernel has TLS now (Documentation/networking/tls.rst). */
export function hasKernelTls(): boolean {
  return process.platform === 'linux' && existsSync(STATISTICS);
}

/** Parses a release, e.g. what `uname -r` prints; null if it is none. */
export function parseRelease(text: string): Release | null {
  const found = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found === null
    ? null
    : [Number(found[1]), Number(found[2]), found[3] === undefined ? 0 : Number(found[3])];
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
  const told = parseRelease(
    /\bDebian (\d+\.\d+\.\d+)/.exec(build)?.[1] ?? /^Ubuntu \S+ (\S+)/.exec(signature)?.[1] ?? '',
  );
  // A kernel whose name says nothing is what its build says; one of another series is not.
  const agree = own === null || (told?.[0] === own[0] && told[1] === own[1]);
  const found = agree ? (told ?? own) : own;
  return found === null ? name : found.join('.');
}

/** The release that the running kernel was made from; where nothing tells, what `uname -r` prints. */
export const runningRelease = upstreamRelease(release(), version(), ubuntuSignature());

const RUNNING = parseRelease(runningRelease);

function ubuntuSignature(): string | undefined {
  try {
    return readFileSync('/proc/version_signature', 'utf8');
  } catch {
    return undefined;
  }
}

function isAtLeast(release: Release | null, wantedMajor: number, wantedMinor: number): boolean {
  if (release === null) return false;
  const [major, minor] = release;
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The first patch level of each maintained series in which both defects are mended. */
const MENDED: Record<string, number> = { '6.1': 154, '6.6': 108, '6.12': 49, '6.16': 9 };

/** The first release of this one's series in which both defects are mended, if there is one. */
export function receivePathMendedIn(release = RUNNING): string | undefined {
  if (release === null) return undefined;
  const [major, minor] = release;
  const series = `${major}.${minor}`;
  const patch = MENDED[series];
  return patch === undefined ? undefined : `${series}.${patch}`;
}

/**
 * Whether the kernel's receive path is free of CVE-2025-39682 (records of zero length confuse what was read with what
 * was decrypted) and CVE-2025-39946 (a record header that is no TLS overruns the parser): older than their origin, or
 * a release in which they are mended. A kernel whose release cannot be told is not safe. Distributions mend without
 * changing the release: `ignoreKernelFloor` is for them.
 */
export function isReceivePathSafe(release = RUNNING): boolean {
  return receivePathDefect(release) === undefined;
}

/**
 * What is to be said against the kernel's receive path, in words; undefined where nothing is.
 *
 * @param release null: it cannot be told
 */
export function receivePathDefect(
  release: Release | null = RUNNING,
  name = runningRelease,
): string | undefined {
  const overrides = '(ktls.ignoreKernelFloor overrides)';
  if (release === null) {
    return `the release of the kernel, ${name}, does not tell whether its receive path is safe ${overrides}`;
  }
  if (!isAtLeast(release, 6, 0) || isAtLeast(release, 6, 17)) return undefined;
  const [major, minor, patch] = release;
  const mended = MENDED[`${major}.${minor}`];
  if (mended !== undefined && patch >= mended) return undefined;
  return `the receive path of Linux ${name} has CVE-2025-39682 and CVE-2025-39946 ${overrides}`;
}

/** Whether the kernel can take new keys on a connection that has some (KeyUpdate): Linux 6.14. */
export function canRekey(version = RUNNING): boolean {
  return isAtLeast(version, 6, 14);
}
