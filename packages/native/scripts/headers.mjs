import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BuildError, say, shown } from './log.mjs';
import { buildDir } from './paths.mjs';

const require = createRequire(import.meta.url);

/** Folders with the Node-API headers and libuv's, and never with Node's openssl/. */
export function findHeaders() {
  return [npmHeaders('node-api-headers'), npmHeaders('node-addon-api'), uvHeaders()];
}

function npmHeaders(name) {
  try {
    return dirname(
      require.resolve(`${name}/${name === 'node-addon-api' ? 'napi.h' : 'include/node_api.h'}`),
    );
  } catch {
    throw new BuildError(`the npm package ${name} is not installed: run npm ci`);
  }
}

/**
 * uv.h lies beside Node's copy of openssl/, which would clash with AWS-LC's. So a folder of our
 * own links to uv.h and uv/ only.
 */
function uvHeaders() {
  const { npm_config_nodedir: nodedir } = process.env;
  const candidates = [
    ...(nodedir ? [join(nodedir, 'include', 'node')] : []),
    join(dirname(process.execPath), '..', 'include', 'node'),
    '/usr/include',
  ];
  const found = candidates.find(
    (dir) => existsSync(join(dir, 'uv.h')) && existsSync(join(dir, 'uv', 'unix.h')),
  );
  if (!found) throw new BuildError('uv.h not found: install the Debian package libuv1-dev');
  say(`libuv headers: ${shown(join(found, 'uv.h'))}`);

  const dir = join(buildDir, 'uv-headers');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  symlinkSync(join(found, 'uv.h'), join(dir, 'uv.h'));
  symlinkSync(join(found, 'uv'), join(dir, 'uv'));
  return dir;
}
