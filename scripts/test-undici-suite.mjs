// Runs those of undici's own test files that involve TLS, first as they are and then with the
// AWS-LC connector in place of undici's, and prints what came of each. Needs a source tree of undici
// 7 or 8 in which `npm install` was run; nothing of it is part of this repository.
//
//     npm run test:undici-suite -- <folder of an undici source tree> [<test files>]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { root } from './tap-run.mjs';

/** What a test file has in it that makes or answers TLS connections. */
const INVOLVES_TLS =
  /['"](node:)?(https|tls)['"]|createSecureServer|core\/connect['"]|buildConnector|https-pem/;
/** Milliseconds for one file. */
const TIME_LIMIT = 120_000;

const [tree, ...chosen] = process.argv.slice(2);
if (tree === undefined) {
  console.error('npm run test:undici-suite -- <folder of an undici source tree> [<test files>]');
  process.exit(2);
}
const undiciDir = resolve(tree);
const { name, version } = JSON.parse(readFileSync(join(undiciDir, 'package.json'), 'utf8'));
if (name !== 'undici') {
  console.error(`${undiciDir} is no source tree of undici but of ${name}`);
  process.exit(2);
}

const files = chosen.length > 0 ? chosen : filesWithTls();
console.log(`[undici-suite] undici ${version}, Node ${process.version}, ${files.length} files`);
const rows = [];
for (const file of files) {
  const theirs = await run(file, []);
  const ours = await run(file, ['--require', join(root, 'scripts/undici-suite/substitute.cjs')]);
  const worse = ours.failures.filter((test) => !theirs.failures.includes(test));
  rows.push({
    file,
    tests: ours.tests,
    "undici's": describe(theirs),
    'AWS-LC': describe(ours),
    worse: worse.length,
  });
  console.log(`[undici-suite] ${file}: ${describe(ours)} (undici's own: ${describe(theirs)})`);
  for (const test of worse) console.log(`[undici-suite]   fails with AWS-LC only: ${test}`);
}
console.table(rows);
const worse = rows.reduce((sum, row) => sum + row.worse, 0);
const tests = rows.reduce((sum, row) => sum + row.tests, 0);
console.log(`[undici-suite] ${tests} tests, ${worse} fail with the AWS-LC connector only`);
process.exitCode = worse === 0 ? 0 : 1;

function filesWithTls() {
  return readdirSync(join(undiciDir, 'test'), { recursive: true })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.js'))
    .filter((file) => !/fixtures|web-platform-tests|node_modules/.test(file))
    .filter((file) => INVOLVES_TLS.test(readFileSync(join(undiciDir, file), 'utf8')))
    .sort();
}

/** Runs one file in a process of its own and reads the outcome of its tests from its TAP. */
async function run(file, flags) {
  const args = ['--expose-gc', ...flags, '--test-reporter=tap', file];
  const child = spawn(process.execPath, args, {
    cwd: undiciDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what a test starts ends with it.
    detached: true,
  });
  const killGroup = () => process.kill(-child.pid, 'SIGKILL');
  const timer = setTimeout(killGroup, TIME_LIMIT);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.resume();
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  const results = [...output.matchAll(/^( *)(not )?ok \d+ - (.*?)( # (SKIP|TODO).*)?$/gm)];
  const failures = results
    .filter(([, , not, , , todo]) => not && !todo)
    .map(([, , , test]) => test);
  // A process that was killed, or that fails without a failed test.
  if (code !== 0 && failures.length === 0) failures.push(`the process: ${signal ?? code}`);
  return { tests: results.length, failures };
}

function describe({ failures }) {
  return failures.length === 0 ? 'pass' : `${failures.length} fail`;
}
