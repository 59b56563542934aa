import { relative } from 'node:path';

export function say(message) {
  console.log(`[native] ${message}`);
}

/** A failure whose message is all the user needs: printed on one line, without a stack. */
export class BuildError extends Error {}

export function shown(path) {
  const short = relative(process.cwd(), path);
  return short === '' ? '.' : short.length < path.length ? short : path;
}
