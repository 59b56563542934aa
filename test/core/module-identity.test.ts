/**
 * A program that mixes `import` and `require` (its own and its dependencies') must still see one
 * class: `instanceof` across the two is what breaks otherwise.
 */
import type * as imported from '@node-aws-lc/core';
import { createRequire } from 'node:module';
import t from 'tap';
import { connected } from '../helpers/handshake.js';

const required = createRequire(__filename)('@node-aws-lc/core') as Record<string, unknown>;

t.test('import and require give the same objects under the same names', async (t) => {
  const esm: Record<string, unknown> = await import('@node-aws-lc/core');
  const names = Object.keys(required).filter((name) => name !== 'default');
  t.ok(names.includes('TlsStream'), 'the exports were found');
  for (const name of names) t.equal(esm[name], required[name], name);
  // What Node itself adds when an ES module re-exports a CommonJS one.
  const added = ['default', 'module.exports', '__esModule'];
  const extra = Object.keys(esm).filter((name) => !added.includes(name));
  t.same(
    extra.filter((name) => !names.includes(name)),
    [],
    'and ESM adds none of its own',
  );
});

t.test('a stream made through one is an instance of the class of the other', async (t) => {
  const esm = await import('@node-aws-lc/core');
  const { client, server } = await connected(t);
  t.ok(client instanceof esm.TlsStream);
  t.ok(server instanceof (required['TlsStream'] as typeof imported.TlsStream));
});
