// What a user's bundler, TypeScript and Node will make of the packages' exports.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');

const exceptions = {
  // No static look can see what a binary exports; core takes it with require.
  native: ['--ignore-rules', 'named-exports'],
};
let failed = false;

for (const name of ['native', 'core', 'fastify-plugin', 'undici-connector']) {
  const folder = join(root, 'packages', name);
  console.log(`[packages] ${name}`);
  check('publint', [folder, '--strict']);
  // The profile leaves out the resolution of before "exports", which no supported Node uses.
  check('attw', ['--pack', folder, '--profile', 'node16', ...(exceptions[name] ?? [])]);
}
process.exitCode = failed ? 1 : 0;

function check(tool, args) {
  const { status } = spawnSync(join(bin, tool), args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed = true;
}
