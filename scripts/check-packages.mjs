// What a user's bundler, TypeScript and Node will make of the packages' exports.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
let failed = false;

for (const name of ['native', 'core', 'fastify-plugin', 'undici-connector']) {
  const folder = join(root, 'packages', name);
  console.log(`[packages] ${name}`);
  check('publint', [folder, '--strict']);
  // The profile leaves out the resolution of before "exports", which no supported Node uses.
  check('attw', ['--pack', folder, '--profile', 'node16']);
}
process.exitCode = failed ? 1 : 0;

function check(tool, args) {
  const { status } = spawnSync(join(bin, tool), args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed = true;
}
