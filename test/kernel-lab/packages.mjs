/**
 * Where the kernel and the guest's tools come from.
 *
 * Two Debian packages are all that the lab needs. What is installed is used; the rest is downloaded
 * and unpacked beside this file, which takes no privileges and installs nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabUnavailable } from './unavailable.mjs';

/** The lab's own folder, ignored by git: unpacked packages, and a folder a run. */
export const cacheDir = join(dirname(fileURLToPath(import.meta.url)), '.cache');

/** Paths of the kernel, its modules and busybox; throws {@link LabUnavailable}. */
export function kernelAndTools() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LabUnavailable(
      `needs Linux on x86-64, this is ${process.platform} on ${process.arch}`,
    );
  }
  const uml = packageRoot('user-mode-linux', 'usr/bin/linux.uml');
  const busybox = packageRoot('busybox-static', 'bin/busybox', isStatic);
  const modules = join(uml, 'usr/lib/uml/modules');
  const [version] = readdirSync(modules);
  return {
    kernel: join(uml, 'usr/bin/linux.uml'),
    modules: join(modules, version),
    busybox: join(busybox, 'bin/busybox'),
  };
}

/** The folder under which `file` of a Debian package lies: `/`, or one in the cache. */
function packageRoot(name, file, usable = existsSync) {
  if (usable(join('/', file))) return '/';
  const unpacked = join(cacheDir, name);
  if (!existsSync(unpacked)) download(name, unpacked);
  return unpacked;
}

/** busybox may be installed as one that needs libraries, which is as good here. */
function isStatic(busybox) {
  return existsSync(busybox) && spawnSync(busybox, ['insmod', '--help']).status === 0;
}

function download(name, target) {
  mkdirSync(cacheDir, { recursive: true });
  const scratch = mkdtempSync(join(cacheDir, 'download-'));
  try {
    console.error(`[lab] downloading Debian's ${name}`);
    aptDownload(name, scratch);
    const [deb] = readdirSync(scratch);
    const unpacked = join(scratch, 'root');
    run(name, 'dpkg', ['-x', deb, unpacked], scratch);
    renameSync(unpacked, target);
  } catch (error) {
    // Another lab may have put it there meanwhile.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function aptDownload(name, cwd) {
  // root's apt-get hands the download to a user of its own, who may not write into the checkout.
  const sandbox = ['-o', 'APT::Sandbox::User=root'];
  run(name, 'apt-get', [...sandbox, '-qq', 'download', `${name}:amd64`], cwd);
}

function run(name, command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  const cause = error?.message ?? stderr.trim().split('\n').at(-1);
  throw new LabUnavailable(
    `needs user-mode-linux and busybox-static (Debian packages user-mode-linux busybox-static): ` +
      `${command} could not get ${name} (${cause}); ` +
      `run: apt-get update && apt-get install -y user-mode-linux busybox-static`,
  );
}
