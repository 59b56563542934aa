// Loaded before one of Node's own tests: has its `require('tls')` answered by this library, and, where
// NODE_CORE_REGISTER is set, everything that Node itself builds on `tls`.
'use strict';
const Module = require('node:module');
const path = require('node:path');

const core = path.join(__dirname, '../../packages/core');
const ours = require(core);
if (process.env.NODE_CORE_REGISTER) require(path.join(core, 'dist/register.js'));

const load = Module._load;
Module._load = function (request, ...rest) {
  return request === 'tls' || request === 'node:tls' ? ours : load.call(this, request, ...rest);
};
