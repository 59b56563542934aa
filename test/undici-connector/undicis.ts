/**
 * The versions of undici that the tests run against: all that this Node can run.
 */
import type * as undici7 from 'undici';

/** undici's module; the versions differ in nothing that the tests touch. */
export type Undici = typeof undici7;

/** One installed undici. */
export interface UndiciVersion {
  /** For test names: `'undici 7'`. */
  name: string;
  /** The package's name here, for child processes that load it themselves. */
  packageName: 'undici' | 'undici8';
  /** Undefined where this Node is too old for it. */
  undici: Undici | undefined;
  /** Why not, for `skip`; false where it runs. */
  skip: string | false;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const runs8 = major > 22 || (major === 22 && minor >= 19);

/** undici 7 everywhere, undici 8 from Node 22.19 on. */
export const undicis: UndiciVersion[] = [
  { name: 'undici 7', packageName: 'undici', undici: load('undici'), skip: false },
  {
    name: 'undici 8',
    packageName: 'undici8',
    undici: runs8 ? load('undici8') : undefined,
    skip: runs8 ? false : `undici 8 needs Node 22.19, this is ${process.versions.node}`,
  },
];

function load(packageName: string): Undici {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- which one is known at run time
  return require(packageName) as Undici;
}
