/** What is made of perf's samples: whose code they ran in, and the stacks of a flame graph. */
import { createRequire } from 'node:module';
import path from 'node:path';
import t from 'tap';
import type * as Layers from '../../bench/profile/layers';
import type * as Stacks from '../../bench/profile/stacks';

const load = createRequire(__filename);
const compiled = path.join(__dirname, '..', '..', '..', 'bench', 'dist', 'profile');
const { layerOf, shares } = load(path.join(compiled, 'layers.js')) as typeof Layers;
const { fold, parseStacks } = load(path.join(compiled, 'stacks.js')) as typeof Stacks;

const samples = `
\tffffffff81ec7d75 tcp_sendmsg ([kernel.kallsyms])
\t          10aba4 __send (/usr/lib/libc.so.6)

\t          10aba4 aws_lc::Connection::Call(aws_lc::Callback, int) (/srv/build/aws_lc.node)

\t          10aba4 _aesni_ctr32_ghash_6x (/srv/build/aws_lc.node)

\t          10aba4 v8::internal::HeapObject::SizeFromMap (/usr/bin/node)
\t          10aba5 v8::internal::ConcurrentMarking::RunMajor (/usr/bin/node)

\t    7f51229b15bb JS:*end node:_http_outgoing:1143:45 (/tmp/perf-18290.map)

\t          10aba4 ossl_gcm_stream_update (/usr/bin/node)

\t          10aba4 v8::Function::Call (/usr/bin/node)

\t          10aba4 uv__io_poll (/usr/bin/node)

\t          10aba4 uv__io_poll (/usr/bin/node)
`;

t.test('each sample belongs to the layer whose code ran', async (t) => {
  t.strictSame(parseStacks(samples).map(layerOf), [
    'kernel',
    'addon',
    'AWS-LC',
    'garbage collection',
    'JavaScript',
    'OpenSSL',
    'V8',
    'Node',
    'Node',
  ]);
  t.strictSame(shares(parseStacks(samples), layerOf)[0], ['Node', 2 / 9]);
});

t.test('equal stacks are one line, outermost function first', async (t) => {
  const lines = fold(parseStacks(samples)).split('\n');
  t.ok(lines.includes('__send;tcp_sendmsg 1'));
  t.ok(lines.includes('uv__io_poll 2'));
});
