import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { benchDir } from './paths';
import { MissingTool } from './tools';

/** The `node` that `--node` names: this one, a major version in `.node-versions`, or a path. */
export function nodePath(named: string | undefined): string {
  if (named === undefined) return process.execPath;
  if (!/^\d+$/.test(named)) return named;
  const path = join(benchDir, `../.node-versions/node_modules/node-${named}/bin/node`);
  if (existsSync(path)) return path;
  throw new MissingTool(
    `no Node ${named} in .node-versions: npm run test:node-versions puts it there`,
  );
}

/** The major version of the `node` at `path`. */
export function majorOf(path: string): number {
  return Number(
    execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0],
  );
}
