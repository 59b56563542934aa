/** One boot of the count lab: qemu, in which an instruction takes a nanosecond. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDir, readStatus } from '../cache.mjs';
import { endOf, spawnLeashed } from '../leash.mjs';
import { insmodOrder, tlsModules } from '../modules.mjs';
import { handOn } from '../output.mjs';
import { filesFor } from './files.mjs';
import { makeInitramfs } from './initramfs.mjs';
import { kernelAndTools, qemu } from './packages.mjs';

/** Beside what kernel TLS takes anyway: the ciphers in the processor's own instructions. */
const cipherModules = [
  'aesni_intel',
  'ghash_clmulni_intel',
  'chacha_x86_64',
  'poly1305_x86_64',
  'ipv6?',
];

/**
 * Runs a command in an emulated machine whose clock counts instructions. Returns its exit status,
 * undefined when the guest went down without one, and the last that was said on the kernel's
 * console.
 *
 * @param command program, by its path, and arguments
 * @param options files to take along (`add`), `mem` as qemu takes it (`3G`), `timeout` in seconds,
 *   `kernelLog` to see what the kernel says
 */
export async function countInLab(command, { add, mem, timeout, kernelLog }) {
  const found = kernelAndTools();
  const runDir = makeRunDir();
  try {
    const modules = insmodOrder(found.modules, [...cipherModules, ...tlsModules]);
    const initramfs = makeInitramfs({
      runDir,
      busybox: found.busybox,
      files: filesFor(command, { modules, more: add }),
      modules,
      command,
      cwd: process.cwd(),
      env: guestEnvironment(found.versions),
    });
    const machine = startMachine({ kernel: found.kernel, initramfs, mem, runDir });
    const log = handOn(machine, kernelLog);
    const ended = await endOf(machine, timeout);
    return { status: ended ?? readStatus(runDir), log: log() };
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
}

/**
 * Little of the caller's environment, for a longer one takes more instructions; and the versions
 * that counts hold for.
 */
function guestEnvironment({ kernel, qemu: emulator }) {
  const forNode = Object.entries(process.env).filter(
    // The file is not there.
    ([name]) => name.startsWith('NODE_') && name !== 'NODE_EXTRA_CA_CERTS',
  );
  return {
    ...Object.fromEntries(forNode),
    HOME: '/tmp',
    PATH: `${process.env.PATH}:/run/bin`,
    COUNT_LAB_KERNEL: kernel,
    COUNT_LAB_QEMU: emulator,
  };
}

function startMachine({ kernel, initramfs, mem, runDir }) {
  const status = join(runDir, 'status');
  const port = (id, ...options) => [
    ...['-chardev', [options[0], `id=${id}`, ...options.slice(1)].join(',')],
    ...['-serial', `chardev:${id}`],
  ];
  const args = [
    ...['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off'],
    // With them a copy of any length is one instruction.
    ...['-cpu', 'max,-erms,-fsrm', '-smp', '1', '-m', mem],
    // The same random numbers in every run, and no clock of the host's.
    ...['-seed', '1', '-rtc', 'clock=vm'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...port('console', 'stdio', 'signal=off'),
    ...port('stdout', 'socket', 'fd=3'),
    ...port('stderr', 'socket', 'fd=4'),
    ...port('status', 'file', `path=${status}`),
    ...['-kernel', kernel, '-initrd', initramfs],
    ...[
      '-append',
      'console=ttyS0 quiet panic=-1 mitigations=off norandmaps nokaslr tsc_early_khz=1000000',
    ],
  ];
  return spawnLeashed(qemu, args, {
    env: process.env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
}
