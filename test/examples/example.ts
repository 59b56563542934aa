/** The examples, run as a user runs them: `node examples/dist/<name>.js`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Child, type ChildOptions } from '../helpers/children.js';

const examplesDir = join(__dirname, '../../../examples');

/** The authority that the examples' servers are signed by; there once one of them has started. */
export function exampleCa(): string {
  return readFileSync(join(examplesDir, '.certificate', 'ca.pem'), 'utf8');
}

/** The file with the private key of the examples' servers. */
export const exampleKeyFile = join(examplesDir, '.certificate', 'key.pem');

/** Starts an example; servers take a free port. */
export function startExample(
  t: Test,
  name: string,
  args: string[] = [],
  options: ChildOptions = {},
): Child {
  const script = join(examplesDir, 'dist', `${name}.js`);
  const env = { PORT: '0', ...options.env };
  return new Child(t, process.execPath, [script, ...args], { ...options, env });
}
