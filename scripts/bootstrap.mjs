// Runs before anything is installed, so it may import nothing but Node's own modules.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const outdated = firstOutdated();
if (outdated === undefined) {
  console.log('[setup] npm dependencies: up to date');
} else {
  console.log(`[setup] npm dependencies: ${outdated}; running npm ci`);
  process.exitCode = npm(['ci', '--no-fund', '--no-audit']);
}

/** Why node_modules is not what package-lock.json asks for; undefined when it is. */
function firstOutdated() {
  const wanted = packagesIn('package-lock.json');
  const installed = packagesIn(join('node_modules', '.package-lock.json'));
  if (!installed) return 'not installed';
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/') || entry.optional) continue;
    const found = installed[path];
    if (!found) return `${path} is missing`;
    if (found.version !== entry.version) return `${path} is not at ${entry.version}`;
  }
  return undefined;
}

function packagesIn(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function npm(args) {
  // Set when npm runs this script; then it is the very npm that the user called.
  const { npm_execpath: npmCli } = process.env;
  const [command, ...rest] = npmCli ? [process.execPath, npmCli, ...args] : ['npm', ...args];
  const { status, error } = spawnSync(command, rest, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`[setup] npm cannot be run: ${error.message}`);
  return status ?? 1;
}
