/** A process that does not outlive its time, nor the lab that started it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { clearTimeout, setTimeout } from 'node:timers';

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
 * Starts a program that ends when this process does.
 *
 * @param options `env`, and `stdio` for the descriptors 0 to 4
 */
export function spawnLeashed(program, args, { env, stdio }) {
  return spawn('sh', ['-c', leashed, 'lab', program, ...args], {
    // A process group of its own: user-mode Linux is a process for each process of the guest.
    detached: true,
    env,
    stdio: [...stdio, 'pipe'],
  });
}

/**
 * Waits until such a program has ended, and ends it when `timeout` seconds are over or this process
 * is told to stop. Returns the exit status for having been ended, undefined when it ended by itself.
 */
export async function endOf(child, timeout) {
  let status;
  const stop = (reason) => {
    status ??= reason;
    kill(child);
  };
  const alarm = setTimeout(() => {
    console.error(`[lab] killed after ${timeout} s`);
    stop(timedOut);
  }, timeout * 1000);
  const onSignal = (signal) => stop(128 + signals[signal]);
  const onExit = () => kill(child);
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
  process.on('exit', onExit);
  // What is left of the group holds the streams that 'close' waits for.
  child.on('exit', () => kill(child));
  try {
    await once(child, 'close');
    return status;
  } finally {
    clearTimeout(alarm);
    for (const signal of Object.keys(signals)) process.off(signal, onSignal);
    process.off('exit', onExit);
  }
}

function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
