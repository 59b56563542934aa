#!/usr/bin/env node
'use strict';

// A file of its own that no build makes: npm links it before anything is built.
const { nodeAwsLc } = require('../dist/doctor/command.js');

const output = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
};
/** As HELP in doctor/command.ts says. */
const UNWRITTEN = 5;

// Who reads no further (`| head`) has seen enough; a report that cannot be written is no verdict.
process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') return;
  output.stderr(`the report cannot be written: ${error.message}\n`);
  process.exit(UNWRITTEN);
});

nodeAwsLc(process.argv.slice(2), output).then((status) => {
  process.exitCode = status;
});
