/** Which kernel modules to load, and in which order. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './command-line.mjs';

/** What the guest itself stands on: IPv6, and a /tmp that copies on write. */
export const baseModules = ['ipv6?', 'overlay'];

/**
 * What kernel TLS takes: itself, and what the crypto API would ask `modprobe` for by name, which
 * is not in `modules.dep`: a template like `gcm(aes)` finds its parts when it is used. Not every
 * kernel has the parts with a question mark, or calls them so.
 */
export const tlsModules = [
  'ctr',
  'ghash-generic?',
  'gcm',
  'chacha?',
  'chacha_generic?',
  'poly1305_generic?',
  'chacha20poly1305',
  'tls',
];

/**
 * The files of the modules named and of all that they depend on, each after what it depends on.
 * What is built into the kernel needs no file.
 */
export function insmodOrder(modulesDir, names) {
  const dependencies = readDependencies(modulesDir);
  const builtin = new Set(lines(modulesDir, 'modules.builtin').map(moduleName));
  const fileOf = new Map([...dependencies.keys()].map((file) => [moduleName(file), file]));
  const ordered = new Set();
  const add = (file) => {
    for (const dependency of dependencies.get(file)) add(dependency);
    ordered.add(file);
  };
  for (const wanted of names) {
    const name = canonical(wanted.replace(/\?$/, ''));
    const file = fileOf.get(name);
    if (file) add(file);
    else if (!builtin.has(name) && !wanted.endsWith('?')) {
      throw new UsageError(`--module: the lab's kernel has no module ${name}`);
    }
  }
  return [...ordered].map((file) => join(modulesDir, file));
}

/** `modules.dep`: each module's file, and the files that it depends on. */
function readDependencies(modulesDir) {
  return new Map(
    lines(modulesDir, 'modules.dep').map((line) => {
      const [file, dependencies] = line.split(':');
      return [file, dependencies.split(' ').filter(Boolean)];
    }),
  );
}

function lines(modulesDir, file) {
  return readFileSync(join(modulesDir, file), 'utf8').split('\n').filter(Boolean);
}

function moduleName(file) {
  return canonical(file.replace(/^.*\//, '').replace(/\.ko$/, ''));
}

/** The kernel takes - and _ in a module's name for the same. */
function canonical(name) {
  return name.replaceAll('-', '_');
}
