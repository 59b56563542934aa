// Runs the kernel-TLS tests where it is started, one after another, and prints one TAP stream with
// a subtest for each file. `node suite.mjs [part of a file's name]...` runs only what matches.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** For one file; the lab's one processor is shared by both ends of every connection. */
const secondsPerFile = 180;

const testDir = dirname(dirname(fileURLToPath(import.meta.url)));
const suiteDir = process.env.NODE_AWS_LC_KTLS_TESTS ?? join(testDir, 'dist', 'ktls');
const wanted = process.argv.slice(2);

const files = readdirSync(suiteDir, { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();

console.log('TAP version 14');
console.log(`# Linux ${release()}, Node ${process.version}`);
let failed = 0;
for (const [index, file] of files.entries()) {
  const path = join(suiteDir, file);
  const name = relative(testDir, path);
  console.log(`# Subtest: ${name}`);
  const started = performance.now();
  const passed = await runFile(path);
  if (!passed) failed += 1;
  const ms = Math.round(performance.now() - started);
  console.log(`${passed ? 'ok' : 'not ok'} ${index + 1} - ${name} # time=${ms}ms\n`);
}
console.log(`1..${files.length}`);
process.exitCode = failed === 0 && files.length > 0 ? 0 : 1;

async function runFile(path) {
  const child = spawn(process.execPath, [path], {
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(secondsPerFile) },
    stdio: ['ignore', 'pipe', 'inherit'],
    // tap ends a file that is late by itself and says what it waited for; this is for one that hangs.
    timeout: (secondsPerFile + 10) * 1000,
    killSignal: 'SIGKILL',
  });
  const lines = createInterface({ input: child.stdout });
  let planned = 0;
  lines.on('line', (line) => {
    planned = Number(/^1\.\.(\d+)/.exec(line)?.[1] ?? planned);
    // A nested stream has no version line of its own.
    if (!line.startsWith('TAP version')) console.log(`    ${line}`);
  });
  const [[code]] = await Promise.all([once(child, 'close'), once(lines, 'close')]);
  if (planned === 0) console.log(`    # it ended before its first test`);
  return code === 0 && planned > 0;
}
