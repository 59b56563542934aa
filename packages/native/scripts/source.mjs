// AWS-LC comes as the crate aws-lc-sys: no npm package carries it, and cargo checks the crate
// against the checksum in Cargo.lock. Nothing of it is compiled by cargo.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BuildError, say, shown } from './log.mjs';
import { packageDir } from './paths.mjs';
import { capture, run } from './run.mjs';

const crate = 'aws-lc-sys';

/** @returns {{ dir: string, id: string }} the CMake tree and what identifies its content */
export function findSource() {
  const override = process.env.AWS_LC_SOURCE_DIR;
  return override ? fromFolder(resolve(override)) : fromCrate();
}

function fromFolder(folder) {
  const dir = [folder, join(folder, 'aws-lc')].find(isAwsLcTree);
  if (!dir) {
    throw new BuildError(
      `AWS_LC_SOURCE_DIR=${folder} is neither an AWS-LC source tree nor an ${crate} crate with one in aws-lc/`,
    );
  }
  say(`AWS-LC source: ${shown(dir)} (from AWS_LC_SOURCE_DIR)`);
  return { dir, id: `${dir} ${fingerprint(dir)}` };
}

function fromCrate() {
  const manifest = ['--manifest-path', join(packageDir, 'aws-lc', 'Cargo.toml'), '--locked'];
  say(`fetching the crate ${crate} (checked against Cargo.lock)`);
  run('cargo', ['fetch', '--quiet', ...manifest]);
  const metadata = JSON.parse(
    capture('cargo', ['metadata', '--offline', '--format-version', '1', ...manifest]),
  );
  const found = metadata.packages.find(({ name }) => name === crate);
  const dir = join(found.manifest_path, '..', 'aws-lc');
  if (!isAwsLcTree(dir)) throw new BuildError(`the crate ${crate} holds no AWS-LC tree in ${dir}`);
  say(`AWS-LC source: crate ${crate} ${found.version}`);
  // cargo has checked the content, so the version says it all; the folder is in the id because
  // CMake refuses a build folder whose source has moved.
  return { dir, id: `${crate} ${found.version} ${dir}` };
}

function isAwsLcTree(dir) {
  return ['CMakeLists.txt', 'include/openssl/base.h', 'crypto', 'ssl'].every((name) =>
    existsSync(join(dir, name)),
  );
}

/** Sizes and times of all sources: an unpacked tree can be exchanged for an older one in place. */
function fingerprint(dir) {
  const hash = createHash('sha256');
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !/\.(c|cc|h|S|inc|txt|cmake)$/.test(entry.name)) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}
