import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cmakeBuild } from './cmake.mjs';
import { say, shown } from './log.mjs';
import { buildDir, packageDir } from './paths.mjs';

export function buildAddon({ variant, awsLc, headers, tools, werror }) {
  const binaryDir = join(buildDir, 'addon', variant);
  say(`building the addon (${variant})`);
  cmakeBuild({
    sourceDir: packageDir,
    binaryDir,
    tools,
    definitions: {
      CMAKE_BUILD_TYPE: variant,
      ADDON_OUTPUT_DIR: binaryDir,
      AWS_LC_INCLUDE_DIR: awsLc.includeDir,
      AWS_LC_LIBRARIES: awsLc.libraries.join(';'),
      NODE_HEADER_DIRS: headers.join(';'),
      WARNINGS_AS_ERRORS: werror ? 'ON' : 'OFF',
    },
    targets: ['aws_lc'],
  });
  const addon = join(buildDir, variant, 'aws_lc.node');
  replaceFile(join(binaryDir, 'aws_lc.node'), addon);
  say(`built ${shown(addon)}`);
}

// A process that has the old addon mapped keeps it; writing into that file would crash it.
function replaceFile(source, target) {
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  copyFileSync(source, temporary);
  renameSync(temporary, target);
}
