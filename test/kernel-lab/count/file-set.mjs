/** Paths of this machine that a guest gets at the same place, each after the folders it lies in. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Folders that are never meant when the folder around them is. */
const leftOut = ['node_modules', '.git', '.cache'];

export class FileSet {
  #paths = new Set();
  #bytes = 0;

  /** Absolute paths in the order in which they can be unpacked. */
  get paths() {
    return [...this.#paths];
  }

  /** How much memory the guest needs to hold them. */
  get bytes() {
    return this.#bytes;
  }

  /** A file or an empty folder; of a link also what it points at. Returns where that is. */
  add(path) {
    const folder = path === '/' ? '/' : this.add(dirname(path));
    const real = join(folder, basename(path));
    if (real === '/') return real;
    const stats = lstatSync(real);
    if (!this.#paths.has(real)) this.#bytes += stats.isFile() ? stats.size : 0;
    this.#paths.add(real);
    return stats.isSymbolicLink() ? this.add(resolve(folder, readlinkSync(real))) : real;
  }

  /** A file, or a folder with all that is in it except what belongs to other packages. */
  addTree(path) {
    const real = this.add(path);
    if (!lstatSync(real).isDirectory()) return;
    for (const name of readdirSync(real)) {
      if (!leftOut.includes(name)) this.addTree(join(real, name));
    }
  }
}
