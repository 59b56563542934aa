// Preloaded into undici's own tests: puts the AWS-LC connector in the place of the one that undici
// builds for every client, and has our package use the undici under test.
const Module = require('node:module');
const { dirname, join, sep } = require('node:path');

const undiciDir = process.cwd();
const connectFile = join(undiciDir, 'lib', 'core', 'connect.js');
const packageDir = join(dirname(dirname(__dirname)), 'packages', 'undici-connector') + sep;
const { _load: load, _resolveFilename: resolveFilename } = Module;
let substitute;

Module._resolveFilename = function (request, parent, ...rest) {
  const ours = parent?.filename?.startsWith(packageDir);
  if (ours && request === 'undici') return join(undiciDir, 'index.js');
  if (ours && request === 'undici/package.json') return join(undiciDir, 'package.json');
  return resolveFilename.call(this, request, parent, ...rest);
};

Module._load = function (request, parent, ...rest) {
  const exports = load.call(this, request, parent, ...rest);
  if (typeof exports !== 'function' || exports.name !== 'buildConnector') return exports;
  if (resolveFilename.call(Module, request, parent) !== connectFile) return exports;
  return (substitute ??= substituteFor(exports));
};

// What is not TLS stays undici's.
function substituteFor(original) {
  return function buildConnector(options) {
    const theirs = original(options);
    const ours = require(join(packageDir, 'dist', 'index.js')).createConnector(options);
    return (call, callback) => (call.protocol === 'https:' ? ours : theirs)(call, callback);
  };
}
