/** One boot: start the kernel, hand its output on, and let nothing of it stay behind. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { cacheDir } from './cache.mjs';
import { writeInit } from './guest.mjs';
import { baseModules, insmodOrder } from './modules.mjs';
import { kernelAndTools } from './packages.mjs';

/** Exit status when the lab ran out of time, as with timeout(1). */
const timedOut = 124;

const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };

/**
 * Ends the process group when descriptor 5 does, which is when this process does: also when it is
 * killed and can end nothing itself.
 */
const leashed =
  '{ read -r _; kill -KILL 0; } <&5 >/dev/null 2>&1 3>&- 4>&- 5<&- & exec 5<&-; exec "$@"';

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
      env: process.env,
      terminal,
    });
    const kernel = startKernel({ found, init, mem, runDir, terminal });
    const log = collectLog(kernel, kernelLog);
    const ended = await endOf(kernel, timeout);
    if (terminal) restoreTerminal();
    return { status: ended ?? readStatus(runDir), log: log() };
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
}

/** A folder for this run, named for its process; the ones of labs that were killed go. */
function makeRunDir() {
  mkdirSync(cacheDir, { recursive: true });
  for (const name of readdirSync(cacheDir)) {
    const pid = name.match(/^run-(\d+)-/)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) {
      rmSync(join(cacheDir, name), { recursive: true, force: true });
    }
  }
  return mkdtempSync(join(cacheDir, `run-${process.pid}-`));
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
  return spawn('sh', ['-c', leashed, 'lab', found.kernel, ...args], {
    // A process group of its own: the kernel is a process for each process of the guest.
    detached: true,
    env: { ...process.env, TMPDIR: memoryFolder(mem, runDir) },
    stdio: [terminal ? 'inherit' : 'ignore', 'pipe', 'pipe', terminal ? 1 : 'pipe', 'pipe', 'pipe'],
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

/** Keeps the kernel's last words; returns a function that tells them. */
function collectLog(kernel, show) {
  let log = '';
  const collect = (chunk) => {
    log = (log + chunk).slice(-8192);
    if (show) process.stderr.write(chunk);
  };
  kernel.stdout.setEncoding('utf8').on('data', collect);
  kernel.stderr.setEncoding('utf8').on('data', collect);
  kernel.stdio[3]?.pipe(process.stdout, { end: false });
  kernel.stdio[4].pipe(process.stderr, { end: false });
  return () => log;
}

/** Waits until the kernel is down; the exit status when it was put down, else undefined. */
async function endOf(kernel, timeout) {
  let status;
  const stop = (reason) => {
    status ??= reason;
    kill(kernel);
  };
  const alarm = setTimeout(() => {
    console.error(`[lab] killed after ${timeout} s`);
    stop(timedOut);
  }, timeout * 1000);
  const onSignal = (signal) => stop(128 + signals[signal]);
  const onExit = () => kill(kernel);
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
  process.on('exit', onExit);
  // What is left of the group holds the streams that 'close' waits for.
  kernel.on('exit', () => kill(kernel));
  try {
    await once(kernel, 'close');
    return status;
  } finally {
    clearTimeout(alarm);
    for (const signal of Object.keys(signals)) process.off(signal, onSignal);
    process.off('exit', onExit);
  }
}

function kill(kernel) {
  try {
    process.kill(-kernel.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** The kernel sets the terminal to raw, and may not have come to set it back. */
function restoreTerminal() {
  spawnSync('stty', ['sane'], { stdio: 'inherit' });
}

function readStatus(runDir) {
  try {
    return Number(readFileSync(join(runDir, 'status'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
