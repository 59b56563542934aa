/** The guest's root file system, as the kernel takes it: two cpio archives in one file. */
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { FileSet } from './file-set.mjs';
import { busyboxInGuest, writeGuest } from './guest.mjs';

/**
 * Writes it into `runDir` and returns its path.
 *
 * @param guest what {@link writeGuest} wants, and `files` of this machine and `busybox`
 */
export function makeInitramfs({ runDir, busybox, files, ...guest }) {
  const folder = join(runDir, 'root');
  mkdirSync(join(folder, 'run/bin'), { recursive: true });
  copyFileSync(busybox, join(folder, busyboxInGuest));
  writeGuest({ folder, ...guest });
  const own = new FileSet();
  own.addTree(folder);
  const inside = own.paths
    .filter((path) => path.startsWith(`${folder}/`))
    .map((path) => path.slice(folder.length));

  const target = join(runDir, 'initramfs.cpio');
  const output = openSync(target, 'w');
  try {
    pack(busybox, folder, inside, output);
    pack(busybox, '/', files, output);
  } finally {
    closeSync(output);
  }
  return target;
}

function pack(busybox, cwd, paths, output) {
  const { status, error, stderr } = spawnSync(busybox, ['cpio', '-o', '-0', '-H', 'newc'], {
    cwd,
    input: paths.map((path) => `${path.slice(1)}\0`).join(''),
    stdio: ['pipe', output, 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw error ?? new Error(`cpio failed: ${stderr}`);
}
