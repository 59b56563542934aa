/**
 * Runs each state in a worker of its own and ends the worker there. Argument: how. Prints `done`
 * when every worker has ended and the main thread still makes connections.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { leaveFromCallback, states } from './states.js';

interface Task {
  state: string;
  ending: string;
}

const endings: Record<string, () => void> = {
  terminate: () => parentPort!.postMessage('ready'),
  exit: () => process.exit(3),
  crash: () => {
    throw new Error('the worker’s code crashed');
  },
};

async function inWorker({ state, ending }: Task): Promise<void> {
  const leave = endings[ending]!;
  leaveFromCallback(leave);
  await states[state]!();
  leave();
}

async function endWorker(state: string, ending: string): Promise<void> {
  const worker = new Worker(__filename, { workerData: { state, ending } });
  worker.on('error', () => {});
  worker.on('message', () => void worker.terminate());
  const code = await new Promise<number>((resolve) => worker.on('exit', resolve));
  console.log(`${state}: ${code}`);
}

async function main(ending: string): Promise<void> {
  // Several at a time, so that one ends while others are at work.
  const waiting = Object.keys(states);
  const lane = async (): Promise<void> => {
    for (let state = waiting.shift(); state; state = waiting.shift()) {
      await endWorker(state, ending);
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  await states['idle']!();
  console.log('done');
  process.exit(0);
}

if (isMainThread) void main(process.argv[2]!);
else void inWorker(workerData as Task);
