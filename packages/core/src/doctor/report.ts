import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { awsLc } from '../aws-lc';
import { isReceivePathSafe, parseRelease } from '../ktls/kernel';
import { adviceOn, inWords } from './advice';
import { canAttach, canChangeKeys, findingsOf, type Finding } from './findings';
import type { HostFacts } from './host-facts';

/**
 * How far a host gets: records of every cipher in the kernel in both directions; some of that; none of it, so that TLS
 * runs in userspace.
 */
export type Verdict = 'kernel' | 'part' | 'userspace';

/** What `npx node-aws-lc doctor` tells; with `--json` it prints this. */
export interface Report {
  readonly verdict: Verdict;
  readonly versions: {
    /** `@node-aws-lc/core`. */
    readonly core: string;
    readonly awsLc: string;
    /** Whether AWS-LC is in FIPS mode; then kernel TLS is off unless it is required. */
    readonly fips: boolean;
    readonly node: string;
  };
  readonly platform: string;
  readonly arch: string;
  readonly kernel: HostFacts['kernel'];
  readonly place: HostFacts['place'];
  readonly privileges: HostFacts['privileges'];
  readonly kernelTls: {
    readonly module: HostFacts['module'];
    /** Whether `/proc/net/tls_stat` is there. */
    readonly statisticsThere: boolean;
    readonly availableUlps: readonly string[];
    /** Why TLS cannot be attached to a socket (TCP_ULP), the system's error in words; null when it can. */
    readonly attachError: string | null;
    readonly ciphers: readonly CipherReport[];
    /** Whether keys can be changed on a connection in the kernel. */
    readonly rekey: boolean;
    /** Whether the receive path is free of CVE-2025-39682 and CVE-2025-39946, as far as its version tells. */
    readonly receivePathSafe: boolean;
    /** The counters of `/proc/net/tls_stat`, of this network namespace; null when it is not there. */
    readonly statistics: Readonly<Record<string, number>> | null;
  };
  readonly findings: readonly (Finding & { readonly advice: string })[];
}

/** What became of one cipher; errors are the system's, in words, or null. */
export interface CipherReport {
  readonly name: string;
  readonly txError: string | null;
  readonly rxError: string | null;
  /** The kernel's implementation; null when it has not told. */
  readonly driver: string | null;
}

/** Puts together what was found on a host. */
export function report(facts: HostFacts): Report {
  const { probe, kernel, place, privileges, module, availableUlps, statistics, crypto } = facts;
  return {
    verdict: verdictOn(facts),
    versions: {
      core: ownVersion(),
      awsLc: awsLc.version,
      fips: awsLc.fips,
      node: process.version,
    },
    platform: process.platform,
    arch: process.arch,
    kernel,
    place,
    privileges,
    kernelTls: {
      module,
      statisticsThere: statistics !== undefined,
      availableUlps,
      attachError: errorOf(probe.connectError || probe.attachError),
      ciphers: probe.ciphers.map(({ name, txError, rxError }) => ({
        name,
        txError: errorOf(txError),
        rxError: errorOf(rxError),
        driver: crypto.drivers[name] ?? null,
      })),
      rekey: canChangeKeys(facts),
      receivePathSafe: isReceivePathSafe(parseRelease(kernel.upstream)),
      statistics: statistics ?? null,
    },
    findings: findingsOf(facts).map((finding) => ({ ...finding, advice: adviceOn(finding) })),
  };
}

/** @internal */
export function verdictOn(facts: HostFacts): Verdict {
  const { ciphers } = facts.probe;
  if (!canAttach(facts)) return 'userspace';
  const safe = isReceivePathSafe(parseRelease(facts.kernel.upstream));
  const tx = ciphers.filter(({ txError }) => txError === 0);
  const rx = safe ? ciphers.filter(({ rxError }) => rxError === 0) : [];
  if (tx.length === 0 && rx.length === 0) return 'userspace';
  return tx.length === ciphers.length && rx.length === ciphers.length ? 'kernel' : 'part';
}

function errorOf(error: number): string | null {
  return error === 0 ? null : inWords(error);
}

function ownVersion(): string {
  const manifest = readFileSync(join(__dirname, '../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
