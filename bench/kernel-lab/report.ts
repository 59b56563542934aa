/** What is kept of a whole run: JSON, and the tables in docs/benchmarks-kernel.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { benchDir, resultsDir } from '../runner/paths';
import { table, type Combined } from './table';

const PAGE = join(benchDir, '..', 'docs', 'benchmarks-kernel.md');
const BEGIN = '<!-- made by npm run bench:kernel -->';
const END = '<!-- end -->';

/** Writes both; returns where the JSON is. */
export function saveReport(measurement: Combined): string {
  const time = new Date().toISOString();
  const path = join(resultsDir, `kernel-lab-${time.replaceAll(/[:.]/g, '-')}.json`);
  mkdirSync(resultsDir, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ time, ...measurement }, null, 2)}\n`);
  const { node, kernel, qemu, awsLc } = measurement.versions;
  const made = [
    BEGIN,
    '',
    `Node ${node}, AWS-LC ${awsLc}, Linux ${kernel}, qemu ${qemu}, ${time.slice(0, 10)}.`,
    '',
    table(measurement),
    END,
  ].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const [before = '', after = ''] = [page.split(BEGIN)[0], page.split(END)[1]];
  writeFileSync(PAGE, before + made + after);
  return relative(process.cwd(), path);
}
