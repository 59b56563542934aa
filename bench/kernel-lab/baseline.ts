/** What the rows of the gate may take: `baseline.json`, by version of Node. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { benchDir } from '../runner/paths';
import type { Counts, Measurement, Versions } from './counts';
import { WAYS } from './rows';

/** How much more than the baseline is no accident. */
const TOLERANCE = 0.03;

const FILE = join(benchDir, 'kernel-lab', 'baseline.json');

/** Instructions a unit, by scenario, by row. */
interface Baseline {
  versions: Versions;
  counts: Record<string, Record<string, number>>;
}

/** What the gate says. */
export interface Judgement {
  lines: string[];
  failed: boolean;
}

/** The baseline for a version of Node, whose own share of a count another version does not have. */
export function readBaseline(node: string): Baseline | undefined {
  return readAll()[node];
}

/** Keeps a measurement as the baseline for its version of Node; returns where. */
export function saveBaseline({ versions, counts }: Measurement): string {
  const medians = Object.fromEntries(
    Object.entries(counts).map(([scenario, rows]) => [
      scenario,
      Object.fromEntries(
        Object.entries(rows).map(([row, { median }]) => [row, Number(median.toPrecision(5))]),
      ),
    ]),
  );
  const all = { ...readAll(), [versions.node]: { versions, counts: medians } };
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
  return relative(process.cwd(), FILE);
}

function readAll(): Record<string, Baseline> {
  if (!existsSync(FILE)) return {};
  return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Baseline>;
}

/**
 * Compares like with like: counts, when kernel and emulator are the baseline's; else what each row takes of a
 * download with `node:tls` in the same boot, which another kernel changes less.
 */
export function judge({ versions, counts }: Measurement, baseline: Baseline): Judgement {
  const { kernel, qemu } = baseline.versions;
  const same = versions.kernel === kernel && versions.qemu === qemu;
  const lines = [
    same
      ? `instructions, and those of the baseline (Node ${versions.node}, Linux ${kernel}, qemu ${qemu})`
      : `instructions of a download's with node:tls in the same boot, and the same of the baseline: that is for Linux ${kernel} and ` +
        `qemu ${qemu}, this is Linux ${versions.kernel} and qemu ${versions.qemu}`,
  ];
  const now = medians(counts);
  let failed = false;
  for (const [scenario, rows] of Object.entries(baseline.counts)) {
    for (const row of Object.keys(rows).filter(isOurs)) {
      const figure = (all: Baseline['counts']) =>
        (all[scenario]?.[row] ?? NaN) / (same ? 1 : reference(all));
      const [before, after] = [figure(baseline.counts), figure(now)];
      const more = after / before - 1;
      const bad = !(more <= TOLERANCE);
      failed ||= bad;
      lines.push(
        `${bad ? 'FAILED' : 'ok    '} ${scenario}: ${row}: ${shown(after)}, baseline ${shown(before)} (${percent(more)})`,
      );
    }
  }
  return { lines, failed };
}

function medians(counts: Counts): Baseline['counts'] {
  return Object.fromEntries(
    Object.entries(counts).map(([scenario, rows]) => [
      scenario,
      Object.fromEntries(Object.entries(rows).map(([row, { median }]) => [row, median])),
    ]),
  );
}

function reference(counts: Baseline['counts']): number {
  return counts['download']?.[WAYS.node.name] ?? NaN;
}

function isOurs(row: string): boolean {
  return row.startsWith('ours');
}

function shown(figure: number): string {
  return figure.toPrecision(4);
}

function percent(more: number): string {
  return `${more < 0 ? '' : '+'}${(100 * more).toFixed(1)} %`;
}
