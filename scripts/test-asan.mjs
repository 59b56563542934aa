// Runs the suite on the addon built with AddressSanitizer and UndefinedBehaviorSanitizer. Arguments
// go to tap. Any report is a failure, also one of a process whose exit status nobody looks at.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { reportsDir, root, runTap } from './tap-run.mjs';

const asanDir = join(root, 'scripts', 'asan');
const logDir = join(reportsDir, 'asan');

for (const args of [
  [join(root, 'packages', 'native', 'scripts', 'build.mjs'), '--sanitize'],
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'],
]) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(logDir, { recursive: true, force: true });
mkdirSync(logDir, { recursive: true });

const logPath = `log_path=${join(logDir, 'report')}`;
const runtime = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
// Two frames tell who allocated what leaked, and that is what the suppression goes by. With more,
// a leak's origin is seen better, and what Node leaks is reported too.
const frames = process.env.NODE_AWS_LC_ASAN_FRAMES ?? '2';
const testEnv = {
  NODE_AWS_LC_BUILD: 'Sanitize',
  LD_PRELOAD: runtime,
  NODE_OPTIONS: `--require=${join(asanDir, 'node-children-only.cjs')}`,
  // gcc's UBSan writes to stderr only. Its abort, taken as an error by ASan, gets into a file.
  ASAN_OPTIONS: `detect_leaks=1:handle_abort=2:malloc_context_size=${frames}:${logPath}`,
  LSAN_OPTIONS: `suppressions=${join(asanDir, 'lsan.supp')}:print_suppressions=0`,
  UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:abort_on_error=1:${logPath}`,
};
const env = Object.entries(testEnv).map(([name, value]) => `--test-env=${name}=${value}`);
const { status, passed, failed, skipped } = await runTap({
  name: 'asan',
  args: [...env, '--timeout=240', ...process.argv.slice(2)],
});

const reports = readdirSync(logDir);
for (const name of reports) {
  console.error(`\n[asan] ${name}\n${readFileSync(join(logDir, name), 'utf8')}`);
}
console.log(
  `[asan] ${passed} passed, ${failed} failed, ${skipped} skipped; ${reports.length} sanitizer reports`,
);
process.exitCode = status === 0 && reports.length === 0 ? 0 : 1;
