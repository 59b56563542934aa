import { lstat, readlink, statfs } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The directories in which something has to change for a file to change, links on the way to it included: certbot
 * exchanges the link to the file, cert-manager a link to the directory that holds it, `cp` writes into the file itself.
 */
export async function watchedDirectories(file: string): Promise<Set<string>> {
  const directories = new Set<string>();
  let path = resolve(file);
  for (let links = 0; links <= MAX_LINKS; links++) {
    const link = await firstLink(path);
    if (link === undefined) break;
    directories.add(dirname(link.path));
    const target = isAbsolute(link.target) ? link.target : join(dirname(link.path), link.target);
    path = resolve(target, link.rest);
  }
  directories.add(dirname(path));
  return directories;
}

interface Link {
  path: string;
  target: string;
  /** What follows the link in the path. */
  rest: string;
}

async function firstLink(path: string): Promise<Link | undefined> {
  const { root } = parse(path);
  const parts = path.slice(root.length).split(sep).filter(Boolean);
  let walked = root;
  for (const [i, part] of parts.entries()) {
    walked = join(walked, part);
    try {
      if (!(await lstat(walked)).isSymbolicLink()) continue;
      return { path: walked, target: await readlink(walked), rest: parts.slice(i + 1).join(sep) };
    } catch {
      // In the middle of being exchanged: what there is of it is watched.
      return undefined;
    }
  }
  return undefined;
}

/** Types of file systems whose files change on other machines, where inotify(7) hears nothing: statfs(2). */
const REMOTE = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
  0x517b, // SMB
  0x01021997, // 9P
  0x65735546, // FUSE
  0x00c36400, // Ceph
  0x5346414f, // AFS
]);

/** Whether changes of a directory can be made where this kernel does not see them. */
export async function isRemote(directory: string): Promise<boolean> {
  try {
    return REMOTE.has((await statfs(directory)).type);
  } catch {
    return false;
  }
}
