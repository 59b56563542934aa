// One process in the end, the service itself: a signal sent to it reaches nothing in between.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const args of [
  ['scripts/bootstrap.mjs'],
  ['packages/native/scripts/build.mjs'],
  ['node_modules/typescript/bin/tsc', '-b', 'examples'],
]) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
await import(join(root, 'examples', 'dist', 'start.js'));
