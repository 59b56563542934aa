/** HTTP load by `h2load`, h2load(1). */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { workDir } from '../runner/paths';
import type { Borders, Load, Phases, Target } from '../runner/scenario';
import { percentile } from '../runner/stats';
import { runByLine } from './lines';

/** The tool and the Debian package that has it. */
export const H2LOAD = ['h2load', 'nghttp2-client'] as const;

/** How h2load talks to the server. */
export interface H2loadOptions {
  /** HTTP/1.1 instead of h2. */
  h1: boolean;
  connections: number;
  /** Requests in flight on each connection; h2 only. Default 1. */
  streams?: number;
}

/** Requests `/` for the time that `phases` says; rejects unless every answer was a 2xx. */
export async function h2load(
  target: Target,
  phases: Phases,
  borders: Borders,
  { h1, connections, streams = 1 }: H2loadOptions,
): Promise<Load> {
  const log = join(workDir, `h2load-${target.port}.tsv`);
  rmSync(log, { force: true }); // h2load appends.
  const output: string[] = [];
  const args = [
    ...(h1 ? ['--h1'] : []),
    ...['-t1', `-c${connections}`, `-m${streams}`],
    ...[`-D${Math.round(phases.measure)}ms`, `--warm-up-time=${Math.round(phases.warmUp)}ms`],
    ...[`--tls13-ciphers=${target.pin.suite}`, `--groups=${target.pin.group}`, `--log-file=${log}`],
    `${target.tls ? 'https' : 'http'}://127.0.0.1:${target.port}/`,
  ];
  await runByLine('h2load', args, (line) => {
    output.push(line);
    if (line.startsWith('Main benchmark duration is started')) borders.start();
    if (line.startsWith('Main benchmark duration is over')) borders.stop();
  });
  const units = answered(output.join('\n'));
  const latency = latencies(log);
  rmSync(log, { force: true });
  return { units, seconds: phases.measure / 1000, latency };
}

function answered(output: string): number {
  const counts =
    /requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
      output,
    );
  const [done, succeeded, failed] = (counts ?? []).slice(1, 4).map(Number);
  if (!done || done !== succeeded || failed !== 0) {
    throw new Error(`h2load: not every request was answered with a 2xx:\n${output}`);
  }
  return done;
}

/** The log's third column: microseconds until the end of the response. */
function latencies(log: string): Load['latency'] {
  const lines = readFileSync(log, 'latin1').trimEnd().split('\n');
  const sorted = Float64Array.from(lines, (line) => Number(line.split('\t')[2])).sort();
  return {
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    max: percentile(sorted, 1),
  };
}
