/** One boot: start the kernel, hand its output on, and let nothing of it stay behind. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statfsSync } from 'node:fs';
import { makeRunDir, readStatus } from './cache.mjs';
import { writeInit } from './guest.mjs';
import { endOf, spawnLeashed } from './leash.mjs';
import { baseModules, insmodOrder } from './modules.mjs';
import { handOn } from './output.mjs';
import { kernelAndTools } from './packages.mjs';

/**
 * Runs a command in a kernel of its own. Returns its exit status, undefined when the guest went
 * down without one, and the last that was said on the kernel's console.
 *
 * @param command program and arguments
 * @param options `kernel` by name, `modules` to load by name, `mem` as the kernel takes it (`2G`),
 *   `timeout` in seconds, `kernelLog` to see what the kernel says
 */
export async function runInLab(command, { kernel: name, modules, mem, timeout, kernelLog }) {
  const runDir = makeRunDir();
  const terminal = process.stdin.isTTY && process.stdout.isTTY ? process.stdout : undefined;
  try {
    const found = kernelAndTools(name, runDir);
    const init = writeInit({
      runDir,
      busybox: found.busybox,
      modules: insmodOrder(found.modules, [...baseModules, ...modules]),
      command,
      cwd: process.cwd(),
      env: { ...process.env, LAB_MODULES: found.modules },
      terminal,
    });
    const kernel = startKernel({ found, init, mem, runDir, terminal });
    const log = handOn(kernel, kernelLog);
    const ended = await endOf(kernel, timeout);
    if (terminal) restoreTerminal();
    return { status: ended ?? readStatus(runDir), log: log() };
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
}

function startKernel({ found, init, mem, runDir, terminal }) {
  const args = [
    `mem=${mem}`,
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    'rw',
    'quiet',
    `init=${init}`,

    // Each run's control socket lies in its own folder, so that no two labs meet.
    `uml_dir=${runDir}`,
    'umid=lab',
    'con=null',
    'con0=null,fd:1',
    'con1=fd:0,fd:3',
    'con2=null,fd:4',
  ];
  return spawnLeashed(found.kernel, args, {
    env: { ...process.env, TMPDIR: memoryFolder(mem, runDir) },
    stdio: [terminal ? 'inherit' : 'ignore', 'pipe', 'pipe', terminal ? 1 : 'pipe', 'pipe'],
  });
}

/**
 * Where the guest's memory lies: /dev/shm when the file may be executed there and fits, as neither
 * is so in a container by default; else beside the run.
 */
function memoryFolder(mem, runDir) {
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .findLast((line) => line.split(' ')[1] === '/dev/shm');
  if (!mount || mount.split(' ')[3].split(',').includes('noexec')) return runDir;
  const { bavail, bsize } = statfsSync('/dev/shm');
  return bavail * bsize > bytes(mem) ? '/dev/shm' : runDir;
}

function bytes(mem) {
  const units = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
  return Number.parseInt(mem, 10) * units[mem.at(-1).toUpperCase()];
}

/** The kernel sets the terminal to raw, and may not have come to set it back. */
function restoreTerminal() {
  spawnSync('stty', ['sane'], { stdio: 'inherit' });
}
