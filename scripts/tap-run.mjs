import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const reportsDir = join(root, '.reports');

/** Runs the compiled suite and returns its exit status and counts; `name` names the TAP file. */
export async function runTap({ name, node = process.execPath, args = [], env = process.env }) {
  const tapFile = join(reportsDir, `${name}.tap`);
  mkdirSync(reportsDir, { recursive: true });
  const copy = createWriteStream(tapFile);
  const cli = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
  const tap = spawn(node, [cli, '--reporter=tap', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  tap.stdout.pipe(process.stdout, { end: false });
  tap.stdout.pipe(copy);
  const [[code]] = await Promise.all([once(tap, 'close'), once(copy, 'finish')]);
  return { status: code ?? 1, ...counts(tapFile) };
}

/** The counts in the summary that tap ends its output with: `# { total: 3, pass: 2, skip: 1 }`. */
export function counts(tapFile) {
  const summary =
    readTap(tapFile)
      .match(/^# \{ total: .*\}$/gm)
      ?.at(-1) ?? '';
  const count = (name) => Number(summary.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0);
  // A run that never came to its summary has failed as a whole.
  const failed = summary === '' ? 1 : count('fail');
  return { passed: count('pass'), failed, skipped: count('skip') + count('todo') };
}

function readTap(tapFile) {
  try {
    return readFileSync(tapFile, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
