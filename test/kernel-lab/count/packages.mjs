/** Where emulator and kernel of the count lab come from. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../cache.mjs';
import { downloadPackage, needLinuxOnX64, staticBusybox } from '../packages.mjs';
import { LabUnavailable } from '../unavailable.mjs';

export const qemu = 'qemu-system-x86_64';

/** The package that depends on the kernel of the day. */
const metapackage = 'linux-image-cloud-amd64';

/**
 * Paths of the kernel, its modules and busybox, and what the kernel and the emulator call
 * themselves; throws {@link LabUnavailable}.
 */
export function kernelAndTools() {
  needLinuxOnX64();
  const emulator = qemuVersion();
  const busybox = staticBusybox();
  const root = cached(metapackage, (scratch, unpacked) => {
    downloadPackage(currentKernel(), scratch, unpacked);
    // Packages leave this to their installation.
    const { status } = spawnSync(busybox, ['depmod', '-b', unpacked, modulesIn(unpacked)]);
    if (status !== 0) throw new Error('depmod failed');
  });
  const release = modulesIn(root);
  return {
    kernel: join(root, 'boot', `vmlinuz-${release}`),
    modules: join(root, 'lib/modules', release),
    busybox,
    versions: { kernel: release, qemu: emulator },
  };
}

function qemuVersion() {
  const { stdout, error } = spawnSync(qemu, ['--version'], { encoding: 'utf8' });
  if (error) {
    throw new LabUnavailable(
      `needs ${qemu} (Debian package qemu-system-x86); run: apt-get install -y --no-install-recommends qemu-system-x86`,
    );
  }
  return stdout.match(/version (\S+)/)[1];
}

/** The name of the package that holds the kernel itself, which has its version in it. */
function currentKernel() {
  const { stdout } = spawnSync('apt-cache', ['depends', `${metapackage}:amd64`], {
    encoding: 'utf8',
  });
  const name = stdout?.match(/Depends: (linux-image-\S+)/)?.[1];
  if (name) return name.replace(/:amd64$/, '');
  throw new LabUnavailable(
    `needs Debian's kernel for clouds (Debian package ${metapackage}), which apt does not know; run: apt-get update`,
  );
}

function modulesIn(root) {
  const folder = join(root, 'lib/modules');
  return existsSync(folder) ? readdirSync(folder)[0] : undefined;
}
