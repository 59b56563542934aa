import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files in which a host tells about itself, under a root that a test can choose. */
export class HostFiles {
  constructor(private readonly root = '/') {}

  /** A file's text; undefined when it is not there or may not be read. */
  read(path: string): string | undefined {
    try {
      return readFileSync(join(this.root, path), 'utf8');
    } catch {
      return undefined;
    }
  }

  has(path: string): boolean {
    return this.read(path) !== undefined;
  }

  lines(path: string): string[] {
    return (this.read(path) ?? '').split('\n').filter((line) => line !== '');
  }

  /** Paths of the files in a folder; none when it is not there. */
  list(folder: string): string[] {
    try {
      return readdirSync(join(this.root, folder)).map((name) => `${folder}/${name}`);
    } catch {
      return [];
    }
  }
}
