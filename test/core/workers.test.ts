/** The addon in worker_threads: a worker may end at any moment and takes nobody along. */
import path from 'node:path';
import t from 'tap';
import { runNode } from '../helpers/children.js';
import { states } from './programs/states.js';

const program = path.join(__dirname, 'programs', 'worker-states.js');

for (const [ending, what] of [
  ['terminate', 'worker.terminate()'],
  ['exit', 'process.exit in a worker'],
  ['crash', 'an uncaught exception in a worker'],
] as const) {
  t.test(`${what} with connections in every state`, async (t) => {
    const ended = await runNode(t, program, [ending], { timeout: 50_000 });
    t.match(ended, { code: 0, signal: null }, ended.stderr);
    t.match(ended.stdout, /^done$/m, 'the main thread goes on');
    const lines = ended.stdout.trim().split('\n');
    t.equal(lines.length, Object.keys(states).length + 1, 'each worker ended');
  });
}

for (const [arg, what] of [
  ['', 'a worker that alone uses core ends by itself'],
  ['churn', 'a worker that alone uses core is terminated in the middle of its handshakes'],
] as const) {
  t.test(what, async (t) => {
    const alone = path.join(__dirname, 'programs', 'worker-alone.js');
    const ended = await runNode(t, alone, arg === '' ? [] : [arg], { timeout: 50_000 });
    t.match(ended, { code: 0, signal: null, stdout: /^done$/m }, ended.stderr);
  });
}
