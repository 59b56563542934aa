import commonjs from './index.js';

export * from './index.js';
// Seen from ESM, the default export of a CommonJS module is all of module.exports.
export default commonjs.default;
