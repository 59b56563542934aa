import { relative } from 'node:path';

export function say(message) {
  console.log(`[native] ${message}`);
}

/** A failure whose message is all the user needs: printed on one line, without a stack. */
export class BuildError extends Error {}

/** Runs a build; one that fails sets the exit code. */
export function reportBuildErrors(build) {
  try {
    build();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    for (const line of error.message.split('\n')) console.error(`[native] ${line}`);
    process.exitCode = 1;
  }
}

export function shown(path) {
  const short = relative(process.cwd(), path);
  return short === '' ? '.' : short.length < path.length ? short : path;
}
