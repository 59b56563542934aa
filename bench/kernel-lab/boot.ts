/** The outside of a boot: runs guest.js in the count lab (test/kernel-lab/). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CertificateFiles } from '../runner/certificate';
import { benchDir, compiledDir } from '../runner/paths';
import { MissingTool } from '../runner/tools';
import type { Measurement } from './counts';
import type { GuestTask } from './guest';

const COUNT_LAB = join(benchDir, '..', 'test', 'kernel-lab', 'count', 'count.mjs');
const UNAVAILABLE = 77;

/** In seconds, for a busy machine: a boot takes two to five minutes on one that is not. */
const PATIENCE = '3600';

/** Passed on, so that no emulator is left behind. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Measures rows in a boot of its own.
 *
 * @param rows names of rows by scenario
 * @param files the server's certificate, in a folder of its own
 * @throws MissingTool where the lab cannot run
 */
export async function measureInLab(
  rows: Record<string, string[]>,
  { key, cert }: CertificateFiles,
): Promise<Measurement> {
  const task: GuestTask = { rows, key, cert };
  const files = [compiledDir, dirname(cert)].flatMap((folder) => ['--add', folder]);
  const guest = join(compiledDir, 'kernel-lab', 'guest.js');
  const command = [COUNT_LAB, '--timeout', PATIENCE, ...files, 'node', guest, JSON.stringify(task)];
  const lab = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  lab.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const begin = Date.now();
  createInterface({ input: lab.stderr }).on('line', (line) => {
    stderr += `${line}\n`;
    const seconds = Math.round((Date.now() - begin) / 1000);
    process.stderr.write(`[bench] ${String(seconds).padStart(4)} s  ${line}\n`);
  });
  const end = (signal: NodeJS.Signals): unknown => lab.kill(signal);
  for (const signal of SIGNALS) process.on(signal, end);
  const [status] = (await once(lab, 'close')) as [number | null];
  for (const signal of SIGNALS) process.off(signal, end);
  if (status === UNAVAILABLE) throw new MissingTool(stderr.trim().replace(/^.*\[lab\] /s, ''));
  if (status !== 0) throw new Error(`the count lab ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Measurement;
}
