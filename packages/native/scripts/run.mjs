import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { BuildError } from './log.mjs';

export const jobs = String(availableParallelism());

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (result.error) throw new BuildError(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) {
    const how = result.signal ? `was killed by ${result.signal}` : `exited with ${result.status}`;
    throw new BuildError(`${command} ${args.slice(0, 2).join(' ')} ${how}`);
  }
  return result;
}

export function capture(command, args, options = {}) {
  return run(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  }).stdout;
}
