import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Runs a program, hands over each line of its output as it comes, and rejects unless it exits 0. */
export async function runByLine(
  command: string,
  args: string[],
  onLine: (line: string) => void,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${signal ?? code}`));
    });
  });
  createInterface(child.stdout).on('line', onLine);
  await exited;
}
