import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobs, run } from './run.mjs';

/**
 * Configures `binaryDir` when its settings have changed and builds `targets`. A changed setting
 * starts from an empty folder: CMake keeps stale cache entries and refuses another generator.
 */
export function cmakeBuild({ sourceDir, binaryDir, tools, definitions, targets }) {
  const stamp = join(binaryDir, 'configured.json');
  const settings = JSON.stringify({ sourceDir, tools, definitions }, null, 2);
  const configured = existsSync(stamp) && readFileSync(stamp, 'utf8') === settings;
  if (!configured) {
    rmSync(binaryDir, { recursive: true, force: true });
    mkdirSync(binaryDir, { recursive: true });
    const args = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
    run('cmake', ['-S', sourceDir, '-B', binaryDir, '-G', tools.generator, '-Wno-dev', ...args]);
    writeFileSync(stamp, settings);
  }
  run('cmake', ['--build', binaryDir, '--parallel', jobs, '--target', ...targets]);
}
