'use strict';

// The sanitizer's runtime must be preloaded into every Node process that loads the addon. In any
// other program (openssl, curl, …) it would only report that program's leaks as ours.
const childProcess = require('node:child_process');
const { basename } = require('node:path');
const { syncBuiltinESMExports } = require('node:module');

const runtime = process.env.LD_PRELOAD ?? process.env.NODE_AWS_LC_ASAN_RUNTIME;
process.env.NODE_AWS_LC_ASAN_RUNTIME = runtime;
delete process.env.LD_PRELOAD;

const isNode = (file) => file === process.execPath || basename(file) === 'node';

// Beneath spawn, execFile, exec and fork alike; envPairs is the environment as KEY=value.
const { spawn } = childProcess.ChildProcess.prototype;
childProcess.ChildProcess.prototype.spawn = function (options) {
  if (!isNode(options.file)) return spawn.call(this, options);
  const envPairs = [...(options.envPairs ?? []), `LD_PRELOAD=${runtime}`];
  return spawn.call(this, { ...options, envPairs });
};

for (const name of ['spawnSync', 'execFileSync']) {
  const original = childProcess[name];
  childProcess[name] = (file, args, options) => {
    if (!isNode(file)) return original(file, args, options);
    const [list, rest] = Array.isArray(args) ? [args, options] : [[], args];
    const env = { ...(rest?.env ?? process.env), LD_PRELOAD: runtime };
    return original(file, list, { ...rest, env });
  };
}
syncBuiltinESMExports();
