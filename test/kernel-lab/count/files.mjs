/** What goes into the guest of the count lab: it has no disk, only what is packed for it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../command-line.mjs';
import { FileSet } from './file-set.mjs';

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const addon = join(
  checkout,
  'packages/native/build',
  process.env.NODE_AWS_LC_BUILD || 'Release',
  'aws_lc.node',
);

/** More than what is meant to come along ever is, and a third of the guest's memory. */
const limit = 2 ** 30;

/**
 * Absolute paths: the program and Node with their libraries, this checkout's packages as built with what they
 * depend on, the folder of each argument that names a file, and what was asked for.
 *
 * @param command program and arguments, the program by its path
 * @param modules the kernel's modules that are to be loaded
 * @param more files and folders to take along
 */
export function filesFor(command, { modules, more }) {
  const files = new FileSet();
  for (const file of modules) files.add(file);
  addProgram(files, process.execPath);
  addProgram(files, command[0]);
  if (existsSync(addon)) addProgram(files, addon);
  for (const name of readdirSync(join(checkout, 'packages'))) {
    addPackage(files, join(checkout, 'packages', name), new Set());
  }
  for (const argument of command.slice(1)) {
    if (isFile(argument)) addWithManifest(files, dirname(resolve(argument)));
  }
  for (const path of more) addWithManifest(files, resolve(path));
  files.add(process.cwd());
  if (files.bytes > limit) {
    throw new UsageError(
      `the guest would have to hold ${Math.round(files.bytes / 2 ** 20)} MiB of files; put the script into a folder of its own`,
    );
  }
  return files.paths;
}

/** A program or library, and the libraries that it asks the dynamic linker for. */
function addProgram(files, path) {
  files.add(path);
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  for (const [, library] of stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) files.add(library);
}

/** What a package is made of when it runs, and all that it depends on, peers included. */
function addPackage(files, folder, seen) {
  if (seen.has(folder)) return;
  seen.add(folder);
  const ours = folder.startsWith(join(checkout, 'packages'));
  if (ours) {
    for (const name of ['package.json', 'dist', 'lib']) {
      if (existsSync(join(folder, name))) files.addTree(join(folder, name));
    }
  } else {
    files.addTree(folder);
  }
  const { dependencies, peerDependencies } = readJson(join(folder, 'package.json'));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const dependency = findPackage(folder, name);
    // Optional peers are not there.
    if (dependency) addPackage(files, files.add(dependency), seen);
  }
}

/** As `require` looks for it. */
function findPackage(from, name) {
  const found = join(from, 'node_modules', name);
  if (existsSync(found)) return found;
  return from === '/' ? undefined : findPackage(dirname(from), name);
}

/** A folder and the package.json files around it, which say what kind of modules lie in it. */
function addWithManifest(files, path) {
  files.addTree(path);
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) files.add(manifest);
  }
}

function isFile(path) {
  // Unlike stat, this takes what is no path at all for an answer, too.
  return existsSync(path) && statSync(path).isFile();
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
