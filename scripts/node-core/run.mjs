// npm run test:node-core -- <folder of a Node source tree> [part of a test's name ...]
//
// Runs Node's own TLS tests with this library in the place of node:tls, and prints a table of what
// passes, fails and is left out. A test that the Node at hand fails by itself tells nothing and is
// left out too. Nothing of Node's tree is copied.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { URL, fileURLToPath } from 'node:url';
import { leftOut } from './left-out.mjs';

const PARALLEL = 2;
/** Milliseconds a test may take. */
const LIMIT = 60_000;

const [tree, ...filters] = process.argv.slice(2);
if (tree === undefined) {
  console.error('usage: npm run test:node-core -- <folder of a Node source tree> [name ...]');
  process.exit(2);
}

const folder = join(tree, 'test/parallel');
const hook = fileURLToPath(new URL('require-ours.cjs', import.meta.url));
const scratch = join(tmpdir(), `node-core-${process.pid}`);

const names = readdirSync(folder)
  .filter((name) => /^test-(tls|https|http2)-?.*\.js$/.test(name))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .filter((name) => name.startsWith('test-tls-') || usesTls(name))
  .sort();

function usesTls(name) {
  return /https|createSecureServer|require\('(node:)?tls'\)/.test(source(name));
}

function source(name) {
  return readFileSync(join(folder, name), 'utf8');
}

/** Runs one test; answers what it printed if it failed. */
function run(name, worker, ours) {
  const flags = /^\/\/ Flags: (.*)$/m.exec(source(name))?.[1].trim().split(/\s+/) ?? [];
  const args = [...flags, ...(ours ? ['--require', hook] : []), join(folder, name)];
  const env = {
    ...process.env,
    NODE_TEST_DIR: scratch,
    TEST_THREAD_ID: String(worker),
    // The flags of a test are given; it need not start itself again.
    NODE_SKIP_FLAG_CHECK: '1',
    ...(ours && (!name.startsWith('test-tls-') || name.includes('https'))
      ? { NODE_CORE_REGISTER: '1' }
      : {}),
  };
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => {
      output += `\ntimed out after ${LIMIT} ms`;
      child.kill('SIGKILL');
    }, LIMIT);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const skipped = code === 0 && /^1\.\.0 # Skipped: (.*)$/m.exec(output)?.[1];
      resolve({ passed: code === 0, skipped, output, code: signal ?? code });
    });
  });
}

async function judge(name, worker) {
  const reason = leftOut(name);
  if (reason !== undefined) return { name, result: 'left out', reason };
  const outcome = await run(name, worker, true);
  if (outcome.skipped) return { name, result: 'left out', reason: outcome.skipped };
  if (outcome.passed) return { name, result: 'pass', reason: '' };
  const theirs = await run(name, worker, false);
  if (!theirs.passed) {
    return { name, result: 'left out', reason: `fails with node:tls of ${process.version} too` };
  }
  return { name, result: 'FAIL', reason: summarize(outcome), output: outcome.output };
}

function summarize({ output, code }) {
  const line = output.split('\n').find((text) => /Error|timed out|Mismatched/.test(text));
  return `${line?.trim().slice(0, 100) ?? ''} (exit ${code})`;
}

mkdirSync(scratch, { recursive: true });
const rows = [];
const waiting = [...names];
const work = async (worker) => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const row = await judge(name, worker);
    rows.push(row);
    console.log(`${row.result.padEnd(8)} ${row.name} ${row.reason}`);
  }
};
await Promise.all(Array.from({ length: PARALLEL }, (_, i) => work(i + 1)));
rmSync(scratch, { recursive: true, force: true });

rows.sort((a, b) => a.name.localeCompare(b.name));
const count = (result) => rows.filter((row) => row.result === result).length;
console.log('\n| test | result | reason |\n| --- | --- | --- |');
for (const { name, result, reason } of rows.filter(({ result }) => result !== 'pass')) {
  console.log(`| ${name} | ${result} | ${reason.replaceAll('|', '\\|')} |`);
}
console.log(
  `\n${process.version}: ${count('pass')} pass, ${count('FAIL')} fail, ${count('left out')} left out`,
);

const log = process.env.NODE_CORE_LOG;
if (log !== undefined) {
  const failed = rows.filter(({ output }) => output !== undefined);
  writeFileSync(log, failed.map(({ name, output }) => `=== ${name}\n${output}\n`).join('\n'));
}
process.exitCode = count('FAIL') > 0 ? 1 : 0;
