// node summary.mjs TAP_FILE... -- BROKEN_CHECK...
import { existsSync, readFileSync } from 'node:fs';
import { counts } from '../scripts/tap-run.mjs';

const separator = process.argv.indexOf('--');
const tapFiles = process.argv.slice(2, separator);
const broken = process.argv.slice(separator + 1);
const runs = tapFiles.map(counts);
const noTool = tapFiles.flatMap(skippedForWantOfATool);

const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
const failedTests = sum('failed') + noTool.length;
// A test run that failed for its tests is in their count already.
const failedChecks = broken.filter((name) => failedTests === 0 || !['test', 'asan'].includes(name));
const failed = failedTests + failedChecks.length;
const skipped = sum('skipped') - noTool.length;

for (const file of tapFiles) for (const report of failures(file)) console.log(`${report}\n`);
for (const line of noTool) console.log(`skipped, though its tool should be here: ${line}`);
if (broken.length > 0) console.log(`failed checks: ${broken.join(', ')}`);
const tail = skipped > 0 ? `, ${skipped} skipped` : '';
console.log(`${sum('passed')} passed, ${failed} failed${tail}`);
process.exitCode = failed === 0 ? 0 : 1;

/** `run` installs the tools; a skip as made by test/helpers/tools.ts has no excuse here. */
function skippedForWantOfATool(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').match(/^ *ok .* # SKIP needs .*Debian package.*$/gm) ?? [];
}

/**
 * Each assertion that failed, under the names of the tests that hold it and with its diagnostics:
 * a log of tens of thousands of lines is often seen by its end only.
 */
function failures(file) {
  if (!existsSync(file)) return [];
  const reports = [];
  const names = [];
  let diagnostics;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const depth = line.search(/\S/) / 4;
    const [, subtest] = line.match(/^ *# Subtest: (.*)/) ?? [];
    const [, failed] = line.match(/^ *not ok \d+ - (.*)/) ?? [];
    if (subtest !== undefined) names.splice(depth, Infinity, subtest);
    if (failed !== undefined) {
      const inner = names.length > depth;
      // A test whose assertions were told of already only repeats that they failed.
      diagnostics = inner
        ? undefined
        : [`not ok: ${[...names.slice(0, depth), failed].join(' > ')}`];
      if (diagnostics !== undefined) reports.push(diagnostics);
      names.length = Math.min(names.length, depth);
    } else if (/^ *(ok \d|# Subtest|1\.\.)/.test(line)) {
      diagnostics = undefined;
    } else if (diagnostics !== undefined && diagnostics.length < 40) {
      diagnostics.push(line);
    }
  }
  return reports.map((lines) => lines.join('\n').trimEnd());
}
