// One implementation, the CommonJS one: its classes and its addon exist once, whatever the import
// style. The default export is the object whose DEFAULT_… properties can be assigned.
export * from './index.js';
export { default } from './index.js';
