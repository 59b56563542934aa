// node scripts/build.mjs [--sanitize]; with NODE_AWS_LC_WERROR=1 compiler warnings are errors
import { parseArgs } from 'node:util';
import { buildAddon } from './addon.mjs';
import { buildAwsLc } from './aws-lc.mjs';
import { findHeaders } from './headers.mjs';
import { reportBuildErrors } from './log.mjs';
import { findSource } from './source.mjs';
import { findTools } from './tools.mjs';

const { values: options } = parseArgs({
  options: { sanitize: { type: 'boolean' } },
});

reportBuildErrors(() => {
  const tools = findTools({ needCargo: !process.env.AWS_LC_SOURCE_DIR });
  const headers = findHeaders();
  // AWS-LC itself is never sanitized: its own sanitizer build needs clang, and it is the addon
  // that is under test.
  const awsLc = buildAwsLc(findSource(), tools);
  const variant = options.sanitize ? 'Sanitize' : 'Release';
  const werror = process.env.NODE_AWS_LC_WERROR === '1';
  buildAddon({ variant, awsLc, headers, tools, werror });
});
