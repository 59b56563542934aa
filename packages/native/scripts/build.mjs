// node scripts/build.mjs [--sanitize] [--werror]
import { parseArgs } from 'node:util';
import { buildAddon } from './addon.mjs';
import { buildAwsLc } from './aws-lc.mjs';
import { findHeaders } from './headers.mjs';
import { BuildError } from './log.mjs';
import { findSource } from './source.mjs';
import { findTools } from './tools.mjs';

const { values: options } = parseArgs({
  options: { sanitize: { type: 'boolean' }, werror: { type: 'boolean' } },
});

try {
  const tools = findTools({ needCargo: !process.env.AWS_LC_SOURCE_DIR });
  const headers = findHeaders();
  // AWS-LC itself is never sanitized: its own sanitizer build needs clang, and it is the addon
  // that is under test.
  const awsLc = buildAwsLc(findSource(), tools);
  const variant = options.sanitize ? 'Sanitize' : 'Release';
  buildAddon({ variant, awsLc, headers, tools, werror: options.werror ?? false });
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  for (const line of error.message.split('\n')) console.error(`[native] ${line}`);
  process.exitCode = 1;
}
