// Runs the suite, compiled once, on every supported Node: Node-API is what makes that possible.
// Arguments go to tap, for instance the files to run.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root, runTap } from './tap-run.mjs';

const majors = [20, 22, 24, 26];
const prefix = join(root, '.node-versions');
const platform = `${process.platform}-${process.arch}`;

console.log(`[node-versions] installing Node ${majors.join(', ')} in .node-versions`);
// npm's package `node` installs itself by an install script and only one at a time; these are the
// packages that it installs.
const aliases = majors.map((major) => `node-${major}@npm:node-${platform}@${major}`);
mkdirSync(prefix, { recursive: true });
execFileSync('npm', ['install', '--prefix', prefix, '--no-save', ...aliases], {
  // Outside the root, or npm would take the workspace for the project.
  cwd: prefix,
  stdio: 'inherit',
});

const rows = [];
for (const major of majors) {
  const bin = join(prefix, 'node_modules', `node-${major}`, 'bin');
  const node = join(bin, 'node');
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`[node-versions] testing on Node ${version}`);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const result = await runTap({ name: `node-${major}`, node, env, args: process.argv.slice(2) });
  rows.push({ node: version, result: result.status === 0 ? 'pass' : 'FAIL', ...result });
}

console.table(rows, ['node', 'result', 'passed', 'failed', 'skipped']);
process.exitCode = rows.every(({ status }) => status === 0) ? 0 : 1;
