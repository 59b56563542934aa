import type { HostFiles } from './host-files';

/** Where the kernel's `tls` module is. */
export interface TlsModule {
  /**
   * `built in`, `loaded`; not loaded but `installed` in `/lib/modules`; `absent` from what is installed there for this
   * kernel; `unknown` where nothing is, as in containers.
   */
  readonly state: 'built in' | 'loaded' | 'installed' | 'absent' | 'unknown';
  /** Whether `/etc/modules-load.d` or `/etc/modules` names it (modules-load.d(5)). */
  readonly loadedAtBoot: boolean;
  /** Whether the kernel takes no modules any more (`kernel.modules_disabled`). */
  readonly loadingDisabled: boolean;
}

const BOOT_FOLDERS = ['/etc/modules-load.d', '/run/modules-load.d', '/usr/lib/modules-load.d'];

/** @param release what `uname -r` prints */
export function tlsModule(files: HostFiles, release: string): TlsModule {
  const named = [
    ...BOOT_FOLDERS.flatMap((folder) => files.list(folder)).filter((file) =>
      file.endsWith('.conf'),
    ),
    '/etc/modules',
  ].flatMap((file) => files.lines(file));
  return {
    state: stateOf(files, release),
    loadedAtBoot: named.some((line) => line.trim() === 'tls'),
    loadingDisabled: files.read('/proc/sys/kernel/modules_disabled')?.trim() === '1',
  };
}

function stateOf(files: HostFiles, release: string): TlsModule['state'] {
  const folder = `/lib/modules/${release}`;
  if (files.lines('/proc/modules').some((line) => line.startsWith('tls '))) return 'loaded';
  if (files.read(`${folder}/modules.builtin`)?.includes('/net/tls/tls.ko')) return 'built in';
  const installed = files.read(`${folder}/modules.dep`);
  if (installed === undefined) return 'unknown';
  return installed.includes('/net/tls/tls.ko') ? 'installed' : 'absent';
}
