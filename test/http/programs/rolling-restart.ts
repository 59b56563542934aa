/**
 * A service of several processes that is restarted one process at a time:
 *
 *     IDENTITY='{"key":…,"cert":…}' node rolling-restart.js <workers> <restarts>
 *
 * Prints its port, waits for a line on its standard input, restarts, prints `done`, and serves until
 * it is killed.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsLcTls } from '@node-aws-lc/fastify-plugin';
import Fastify from 'fastify';

async function work(): Promise<void> {
  // In a worker that is about to close, requests are still answered, not refused with 503.
  const app = Fastify({ return503OnClosing: false });
  const identity = JSON.parse(process.env['IDENTITY'] as string) as { key: string; cert: string };
  // The clients share this machine, perhaps with others: they may have to wait for their turn to use a connection.
  await app.register(awsLcTls, { ...identity, closeGracePeriod: 1000 });
  app.get('/', async () => ({ pid: process.pid }));
  app.post('/', async ({ body }) => {
    await sleep(20);
    return body;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.once('message', () => {
    void app.close().then(() => process.exit(0));
  });
  process.send?.((app.server.address() as AddressInfo).port);
}

async function start(): Promise<[Worker, number]> {
  const worker = cluster.fork();
  const [port] = (await once(worker, 'message')) as [number];
  return [worker, port];
}

async function lead(workers: number, restarts: number): Promise<void> {
  const running: Worker[] = [];
  let port = 0;
  while (running.length < workers) {
    const [worker, at] = await start();
    running.push(worker);
    port = at;
  }
  console.log(`port ${port}`);
  await once(process.stdin, 'data');
  for (let i = 0; i < restarts; i++) {
    for (let j = 0; j < workers; j++) {
      const [next] = await start();
      const old = running.shift() as Worker;
      running.push(next);
      const gone = once(old, 'exit');
      old.send('close');
      const [code] = (await gone) as [number];
      if (code !== 0) console.log(`a worker ended with ${code}`);
    }
  }
  console.log('done');
}

const [workers, restarts] = process.argv.slice(2).map(Number) as [number, number];
void (cluster.isPrimary ? lead(workers, restarts) : work());
