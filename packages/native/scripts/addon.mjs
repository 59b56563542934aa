import { join } from 'node:path';
import { cmakeBuild } from './cmake.mjs';
import { say, shown } from './log.mjs';
import { buildDir, packageDir } from './paths.mjs';

export function buildAddon({ variant, awsLc, headers, tools, werror }) {
  const outputDir = join(buildDir, variant);
  say(`building the addon (${variant})`);
  cmakeBuild({
    sourceDir: packageDir,
    binaryDir: join(buildDir, 'addon', variant),
    tools,
    definitions: {
      CMAKE_BUILD_TYPE: variant,
      ADDON_OUTPUT_DIR: outputDir,
      AWS_LC_INCLUDE_DIR: awsLc.includeDir,
      AWS_LC_LIBRARIES: awsLc.libraries.join(';'),
      NODE_HEADER_DIRS: headers.join(';'),
      WARNINGS_AS_ERRORS: werror ? 'ON' : 'OFF',
    },
    targets: ['aws_lc'],
  });
  say(`built ${shown(join(outputDir, 'aws_lc.node'))}`);
}
