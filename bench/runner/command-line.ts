import { MissingTool } from './tools';

/** What was typed makes no sense; the message says why. */
export class UsageError extends Error {}

/** The number above 0 that an option has, if it was given. */
export function positive(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`${option} must be a number above 0, not ${text}`);
  return value;
}

/** Says what went wrong, and ends with a failure: with `missing` where the machine lacks a tool. */
export function reportFailure(error: unknown, missing = 1): void {
  const plain = error instanceof UsageError || error instanceof MissingTool;
  console.error(plain ? `[bench] ${error.message}` : error);
  process.exitCode = error instanceof MissingTool ? missing : 1;
}
