import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { awsLc } from '@node-aws-lc/core';
import type { Effort } from './measure';
import { benchDir, resultsDir } from './paths';
import type { Ground } from './booted-peer';
import { PIN, type Scenario } from './scenario';
import type { PeerSummary } from './summary';

/** Writes one run of a scenario as JSON, with all that is needed to judge it, and returns the path. */
export function saveResults(
  scenario: Scenario,
  effort: Effort,
  ground: Ground,
  peers: PeerSummary[],
): string {
  const time = new Date().toISOString();
  const path = join(resultsDir, `${scenario.name}-${time.replaceAll(/[:.]/g, '-')}.json`);
  const { name, title, unit, figure, baseline, limit, settings } = scenario;
  const result = {
    scenario: { name, title, unit, figure, baseline, limit, settings },
    time,
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      memory: totalmem(),
      kernel: `${type()} ${release()}`,
    },
    versions: versions(ground.node),
    pinned: { ...PIN, ...scenario.pin },
    effort,
    peers,
  };
  mkdirSync(resultsDir, { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** Those of the `node` that ran the peers. */
function versions(nodePath: string): Record<string, string | undefined> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- JSON outside of rootDir
  const fastify = require('fastify/package.json') as { version: string };
  const asked = execFileSync(nodePath, ['-p', 'JSON.stringify(process.versions)'], {
    encoding: 'utf8',
  });
  const { node, openssl, v8, uv } = JSON.parse(asked) as NodeJS.ProcessVersions;
  return { node, openssl, v8, uv, awsLc: awsLc.version, fastify: fastify.version };
}

/** The commit that was measured, marked when the working tree differs from it. */
function commit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40'], {
      cwd: benchDir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined; // A source archive has no commit.
  }
}
