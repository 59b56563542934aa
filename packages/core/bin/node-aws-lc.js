#!/usr/bin/env node
'use strict';

// A file of its own that no build makes: npm links it before anything is built.
const { nodeAwsLc } = require('../dist/doctor/command.js');

const output = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
};
nodeAwsLc(process.argv.slice(2), output).then((status) => {
  process.exitCode = status;
});
