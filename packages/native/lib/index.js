'use strict';

const { join } = require('node:path');

const variant = process.env.NODE_AWS_LC_BUILD || 'Release';
const file = join(__dirname, '..', 'build', variant, 'aws_lc.node');

module.exports = load();

function load() {
  try {
    return require(file);
  } catch (cause) {
    const message =
      `Cannot load the AWS-LC addon from ${file}: ${cause.message}. ` +
      'Build it with `npm run build` in the node-aws-lc checkout';
    throw Object.assign(new Error(message, { cause }), { code: 'ERR_AWS_LC_ADDON' });
  }
}
