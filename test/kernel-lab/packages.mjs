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
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LabUnavailable(
      `needs Linux on x86-64, this is ${process.platform} on ${process.arch}`,
    );
  }
  const busybox = packageRoot('busybox-static', 'bin/busybox', isStatic);
  const { kernel, modules } = name === 'rekey' ? unstableKernel(runDir) : stableKernel();
  const [version] = readdirSync(modules);
  return { kernel, modules: join(modules, version), busybox: join(busybox, 'bin/busybox') };
}

function stableKernel() {
  const uml = packageRoot('user-mode-linux', 'usr/bin/linux.uml');
  return { kernel: join(uml, 'usr/bin/linux.uml'), modules: join(uml, 'usr/lib/uml/modules') };
}

/** The folder under which `file` of a Debian package lies: `/`, or one in the cache. */
function packageRoot(name, file, usable = existsSync) {
  if (usable(join('/', file))) return '/';
  return cached(name, (scratch, unpacked) => {
    console.error(`[lab] downloading Debian's ${name}`);
    // root's apt-get hands the download to a user of its own, who may not write into the checkout.
    const sandbox = ['-o', 'APT::Sandbox::User=root'];
    run(name, 'apt-get', [...sandbox, '-qq', 'download', `${name}:amd64`], scratch);
    const [deb] = readdirSync(scratch);
    run(name, 'dpkg', ['-x', deb, unpacked], scratch);
  });
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
    `needs user-mode-linux and busybox-static (Debian packages user-mode-linux busybox-static): ` +
      `${command} could not get ${name} (${cause}); ` +
      `run: apt-get update && apt-get install -y user-mode-linux busybox-static`,
  );
}
