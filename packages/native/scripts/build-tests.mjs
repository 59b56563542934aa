// node scripts/build-tests.mjs [--sanitize]: the program test/native/engine.test.ts runs. Only in a
// checkout: the tests are not in the package.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAwsLc } from './aws-lc.mjs';
import { cmakeBuild } from './cmake.mjs';
import { reportBuildErrors, say, shown } from './log.mjs';
import { buildDir, packageDir } from './paths.mjs';
import { findSource } from './source.mjs';
import { findTools } from './tools.mjs';

const { values: options } = parseArgs({
  options: { sanitize: { type: 'boolean' } },
});

reportBuildErrors(() => {
  const tools = findTools({ needCargo: !process.env.AWS_LC_SOURCE_DIR });
  const awsLc = buildAwsLc(findSource(), tools);
  const variant = options.sanitize ? 'Sanitize' : 'Release';
  const outputDir = join(buildDir, 'tests', variant);
  say(`building the engine's tests (${variant})`);
  cmakeBuild({
    sourceDir: join(packageDir, '..', '..', 'test', 'native'),
    binaryDir: join(outputDir, 'cmake'),
    tools,
    definitions: {
      CMAKE_BUILD_TYPE: variant,
      NATIVE_DIR: packageDir,
      TESTS_OUTPUT_DIR: outputDir,
      AWS_LC_INCLUDE_DIR: awsLc.includeDir,
      AWS_LC_LIBRARIES: awsLc.libraries.join(';'),
      WARNINGS_AS_ERRORS: process.env.NODE_AWS_LC_WERROR === '1' ? 'ON' : 'OFF',
    },
    targets: ['engine-tests'],
  });
  say(`built ${shown(join(outputDir, 'engine-tests'))}`);
});
