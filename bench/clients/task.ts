import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { ClientTask } from '../loads/program';
import { Tally } from './tally';

/** What this client was started for. */
export const task = JSON.parse(process.argv[2] ?? '') as ClientTask;

/** Connects with Node's own means; resolves when bytes can be sent. */
export function connected(): Promise<Duplex> {
  const options = { port: task.port, host: '127.0.0.1' };
  const socket = task.tls
    ? tls.connect({ ...options, rejectUnauthorized: false })
    : net.connect({ ...options });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(task.tls ? 'secureConnect' : 'connect', () => resolve(socket));
  });
}

/** A tally that prints its borders and, after the second, its report, and ends the process. */
export function printedTally(): Tally {
  const tally = new Tally(task, (border) => {
    console.log(border);
    if (border === 'start') return;
    process.stdout.write(`${JSON.stringify(tally.report())}\n`, () => process.exit());
  });
  return tally;
}
