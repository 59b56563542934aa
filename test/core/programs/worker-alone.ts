/**
 * `node worker-alone.js [churn]`: only a worker uses core, so that the addon is loaded and let go with
 * it. With `churn` the worker makes connections without end and is terminated in the middle.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

async function main(): Promise<void> {
  const churn = process.argv[2] === 'churn';
  for (let round = 0; round < (churn ? 5 : 2); round++) {
    const worker = new Worker(__filename, { workerData: churn });
    const ended = once(worker, 'exit');
    await once(worker, 'message');
    if (churn) {
      await new Promise((resolve) => setTimeout(resolve, 20 * round));
      await worker.terminate();
    }
    await ended;
  }
  console.log('done');
}

async function work(): Promise<void> {
  const { connected } = await import('../../helpers/handshake.js');
  const ends: { client: { destroy(): unknown }; server: { destroy(): unknown } }[] = [];
  const scope = { teardown: () => undefined } as unknown as Parameters<typeof connected>[0];
  do {
    ends.push(await connected(scope));
    parentPort?.postMessage('at work');
  } while (workerData);
  for (const { client, server } of ends) {
    client.destroy();
    server.destroy();
  }
  process.exit();
}

void (isMainThread ? main() : work());
