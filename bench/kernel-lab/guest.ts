/**
 * The inside of a boot: measures the rows it is told to, one after another, and prints the counts.
 *
 * `node guest.js '{"rows": {"download": ["plain", …]}, "key": …, "cert": …}'`
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { awsLc } from '@node-aws-lc/core';
import { connectTo, transfer } from './client';
import { median } from '../runner/stats';
import { rowCount, type Measurement, type RowCount } from './counts';
import type { Answer, ServerTask } from './messages';
import { SCENARIOS, WAYS, rowName, type Row, type Scenario } from './rows';

/** Transfers that count. */
const COUNTED = 8;

/** What a boot is to do: which rows of which scenarios, and with which certificate. */
export interface GuestTask {
  rows: Record<string, string[]>;
  key: string;
  cert: string;
}

type Standing = Exclude<Answer, { port: number }>;

async function main(task: GuestTask): Promise<void> {
  const measurement: Measurement = {
    versions: {
      node: process.version,
      kernel: process.env['COUNT_LAB_KERNEL'] ?? '',
      qemu: process.env['COUNT_LAB_QEMU'] ?? '',
      awsLc: awsLc.version,
    },
    counts: {},
  };
  for (const scenario of SCENARIOS) {
    const wanted = task.rows[scenario.name] ?? [];
    const counts: Record<string, RowCount> = {};
    for (const row of scenario.rows.filter((one) => wanted.includes(rowName(one)))) {
      const count = await measure(scenario, row, task);
      const figures = [count.mean, count.median].map((one) => one.toPrecision(4));
      console.error(`${scenario.name}: ${rowName(row)}: ${figures.join(', ')}`);
      counts[rowName(row)] = count;
    }
    if (wanted.length > 0) measurement.counts[scenario.name] = counts;
  }
  console.log(JSON.stringify(measurement));
}

async function measure(scenario: Scenario, row: Row, files: GuestTask): Promise<RowCount> {
  const { units, warmUp } = scenario;
  const task: ServerTask = { row, units, key: files.key, cert: files.cert };
  const server = fork(join(__dirname, 'server.js'), [JSON.stringify(task)]);
  const { port } = (await heardFrom(server)) as { port: number };
  const socket = await connectTo(row, port);
  for (let i = 0; i < warmUp; i += 1) await transfer(socket, row, units);
  const asking = await costOfAsking(server);
  const transfers: number[] = [];
  for (let i = 0; i < COUNTED; i += 1) {
    const before = await count(server);
    await transfer(socket, row, units);
    transfers.push(((await count(server)) - before - asking) / units);
  }
  check(row, await standing(server));
  socket.destroy();
  server.disconnect();
  await once(server, 'exit');
  return rowCount(transfers);
}

/** What it takes the server to say how many it has taken. */
async function costOfAsking(server: ChildProcess): Promise<number> {
  const costs: number[] = [];
  for (let i = 0; i < 9; i += 1) {
    const before = await count(server);
    costs.push((await count(server)) - before);
  }
  return median(costs);
}

/** Instructions that the server has taken so far, in user mode and in the kernel. */
async function count(server: ChildProcess): Promise<number> {
  const { user, system } = (await standing(server)).cpu;
  return 1000 * (user + system);
}

async function standing(server: ChildProcess): Promise<Standing> {
  server.send('count');
  return (await heardFrom(server)) as Standing;
}

async function heardFrom(server: ChildProcess): Promise<Answer> {
  const abort = new AbortController();
  const gone = once(server, 'exit', abort).then(() => {
    throw new Error('the server ended');
  });
  gone.catch(() => {});
  const [answer] = (await Promise.race([once(server, 'message'), gone])) as [Answer];
  abort.abort();
  return answer;
}

/** A figure of another way than the row's would be worse than none. */
function check(row: Row, { ktls }: Standing): void {
  const way = WAYS[row.way];
  const wanted = 'ktls' in way ? way.ktls : { tx: false, rx: false };
  if (ktls.tx === wanted.tx && ktls.rx === wanted.rx) return;
  throw new Error(`${rowName(row)} was not measured as that: ${JSON.stringify(ktls)}`);
}

main(JSON.parse(process.argv[2] ?? '') as GuestTask).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
