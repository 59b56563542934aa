/** Load by a program that prints `start`, `stop` and a line of JSON. */
import { join } from 'node:path';
import type { Borders, Latency, Load, Phases, Target } from '../runner/scenario';
import { runByLine } from './lines';

/** What such a program reports. */
export interface ProgramReport extends Latency {
  units: number;
  seconds: number;
}

/** Runs it to its end. */
export async function program<Report extends ProgramReport>(
  command: string,
  args: string[],
  borders: Borders,
): Promise<Report> {
  let report: Report | undefined;
  await runByLine(command, args, (line) => {
    if (line === 'start') borders.start();
    else if (line === 'stop') borders.stop();
    else report = JSON.parse(line) as Report;
  });
  if (!report) throw new Error(`${command}: no report`);
  return report;
}

/** What the clients in `clients/` are told, as JSON in their first argument. */
export interface ClientTask extends Phases {
  port: number;
  tls: boolean;
  parameters: Record<string, number | string>;
}

/** Runs a client of `clients/` on this `node`, whichever the peers run on. */
export async function client(
  name: string,
  target: Target,
  phases: Phases,
  borders: Borders,
  parameters: ClientTask['parameters'],
): Promise<Load> {
  const task: ClientTask = { port: target.port, tls: target.tls, ...phases, parameters };
  const file = join(__dirname, '..', 'clients', `${name}.js`);
  const report = await program(process.execPath, [file, JSON.stringify(task)], borders);
  const { units, seconds, ...latency } = report;
  return { units, seconds, latency };
}
