import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cmakeBuild } from './cmake.mjs';
import { say, shown } from './log.mjs';
import { buildDir } from './paths.mjs';

const definitions = {
  CMAKE_BUILD_TYPE: 'Release',
  BUILD_SHARED_LIBS: 'OFF',
  CMAKE_POSITION_INDEPENDENT_CODE: 'ON',
  BUILD_TESTING: 'OFF',
  BUILD_TOOL: 'OFF',
  DISABLE_GO: 'ON',
  DISABLE_PERL: 'ON',
  // The source may lie in cargo's registry, which is shared and must stay as it was checked.
  ENABLE_SOURCE_MODIFICATION: 'OFF',
  // One section a function, so that the addon's link can drop what it does not use.
  CMAKE_C_FLAGS: '-ffunction-sections -fdata-sections',
  CMAKE_CXX_FLAGS: '-ffunction-sections -fdata-sections',
};

/** @returns {{ includeDir: string, libraries: string[] }} */
export function buildAwsLc(source, tools) {
  const key = createHash('sha256')
    .update(JSON.stringify({ id: source.id, tools, definitions }))
    .digest('hex')
    .slice(0, 16);
  const binaryDir = join(buildDir, 'aws-lc', key);
  const result = {
    includeDir: join(source.dir, 'include'),
    libraries: [join(binaryDir, 'ssl', 'libssl.a'), join(binaryDir, 'crypto', 'libcrypto.a')],
  };

  // The key names the source and the flags, so a finished folder needs no second look.
  const finished = join(binaryDir, 'finished');
  if (existsSync(finished)) {
    say(`AWS-LC libraries: up to date in ${shown(binaryDir)}`);
    return result;
  }
  say(`building AWS-LC in ${shown(binaryDir)}; the first time this takes a minute or two`);
  cmakeBuild({ sourceDir: source.dir, binaryDir, tools, definitions, targets: ['crypto', 'ssl'] });
  writeFileSync(finished, '');
  return result;
}
