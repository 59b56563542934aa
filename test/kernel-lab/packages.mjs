/**
 * Where the kernel and the guest's tools come from.
 *
 * Two Debian packages are all that the lab needs. What is installed is used; the rest is downloaded
 * and unpacked into the cache, which takes no privileges and installs nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { LabUnavailable } from './unavailable.mjs';
import { unstableKernel } from './unstable.mjs';

/** The kernels that the lab can boot: `--kernel NAME`. */
export const kernelNames = ['stable', 'rekey'];

/**
 * Paths of the kernel, its modules and busybox; throws {@link LabUnavailable}.
 *
 * @param name one of {@link kernelNames}
 * @param runDir a folder for what is made for one run only
 */
export function kernelAndTools(name, runDir) {
  needLinuxOnX64();
  const busybox = staticBusybox();
  const { kernel, modules } = name === 'rekey' ? unstableKernel(runDir) : stableKernel();
  const [version] = readdirSync(modules);
  return { kernel, modules: join(modules, version), busybox };
}

/** Throws {@link LabUnavailable} where this machine runs nothing that the guest would run, too. */
export function needLinuxOnX64() {
  if (process.platform === 'linux' && process.arch === 'x64') return;
  throw new LabUnavailable(`needs Linux on x86-64, this is ${process.platform} on ${process.arch}`);
}

function stableKernel() {
  const uml = packageRoot('user-mode-linux', 'usr/bin/linux.uml');
  return { kernel: join(uml, 'usr/bin/linux.uml'), modules: join(uml, 'usr/lib/uml/modules') };
}

/** busybox that needs no libraries: installed, or downloaded; throws {@link LabUnavailable}. */
export function staticBusybox() {
  return join(packageRoot('busybox-static', 'bin/busybox', isStatic), 'bin/busybox');
}

/** The folder under which `file` of a Debian package lies: `/`, or one in the cache. */
function packageRoot(name, file, usable = existsSync) {
  if (usable(join('/', file))) return '/';
  return cached(name, (scratch, unpacked) => downloadPackage(name, scratch, unpacked));
}

/** Unpacks a Debian package without installing it; throws {@link LabUnavailable}. */
export function downloadPackage(name, scratch, unpacked) {
  console.error(`[lab] downloading Debian's ${name}`);
  // root's apt-get hands the download to a user of its own, who may not write into the checkout.
  const sandbox = ['-o', 'APT::Sandbox::User=root'];
  run(name, 'apt-get', [...sandbox, '-qq', 'download', `${name}:amd64`], scratch);
  const [deb] = readdirSync(scratch);
  run(name, 'dpkg', ['-x', deb, unpacked], scratch);
}

/** busybox may be installed as one that needs libraries, which is as good here. */
function isStatic(busybox) {
  return existsSync(busybox) && spawnSync(busybox, ['insmod', '--help']).status === 0;
}

function run(name, command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  const cause = error?.message ?? stderr.trim().split('\n').at(-1);
  throw new LabUnavailable(
    `needs ${name} (Debian package ${name}): ${command} could not get it (${cause}); ` +
      `run: apt-get update, and try again`,
  );
}
