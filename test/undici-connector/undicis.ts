/**
 * The versions of undici that the tests run against: all that this Node can run.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as connector from '@node-aws-lc/undici-connector';
import type * as undici7 from 'undici';

/** undici's module; the versions differ in nothing that the tests touch. */
export type Undici = typeof undici7;

/** Our package. */
export type Connector = typeof connector;

/** One installed undici. */
export interface UndiciVersion {
  /** For test names: `'undici 7'`. */
  name: string;
  /** The package's name here, for child processes that load it themselves. */
  packageName: 'undici' | 'undici8';
  /** Undefined where this Node is too old for it. */
  undici: Undici | undefined;
  /** Our package as it is beside this undici; undefined where `undici` is. */
  connector: Connector | undefined;
  /** Why not, for `skip`; false where it runs. */
  skip: string | false;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const runs8 = major > 22 || (major === 22 && minor >= 19);

/** undici 7 everywhere, undici 8 from Node 22.19 on. */
export const undicis: UndiciVersion[] = [
  {
    name: 'undici 7',
    packageName: 'undici',
    undici: load('undici'),
    connector,
    skip: false,
  },
  {
    name: 'undici 8',
    packageName: 'undici8',
    undici: runs8 ? load('undici8') : undefined,
    connector: runs8 ? connectorBeside('undici8') : undefined,
    skip: runs8 ? false : `undici 8 needs Node 22.19, this is ${process.versions.node}`,
  },
];

function load(packageName: string): Undici {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- which one is known at run time
  return require(packageName) as Undici;
}

/** A copy of our package that finds another undici than this repository's own. */
function connectorBeside(packageName: string): Connector {
  const folder = mkdtempSync(join(tmpdir(), 'beside-'));
  const scope = join(folder, 'node_modules', '@node-aws-lc');
  const copy = join(scope, 'undici-connector');
  mkdirSync(copy, { recursive: true });
  try {
    const original = dirname(require.resolve('@node-aws-lc/undici-connector/package.json'));
    cpSync(join(original, 'package.json'), join(copy, 'package.json'));
    cpSync(join(original, 'dist'), join(copy, 'dist'), { recursive: true });
    symlinkSync(join(original, '..', 'core'), join(scope, 'core'));
    const undiciDir = dirname(require.resolve(`${packageName}/package.json`));
    symlinkSync(undiciDir, join(folder, 'node_modules', 'undici'));
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it has just been made
    return require(copy) as Connector;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
