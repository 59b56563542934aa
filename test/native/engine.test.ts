/**
 * The engine of the native package on its own, in C++ and without Node: the install of kernel TLS
 * and the records that the kernel leaves to us, against a kernel that answers as it is told. The
 * tests are the `*_test.cc` files beside this one; one of them alone runs with
 * `packages/native/build/tests/Release/engine-tests 'part of its name'`.
 */
import { join } from 'node:path';
import t from 'tap';
import { runNode } from '../helpers/children.js';

const native = join(__dirname, '..', '..', '..', 'packages', 'native');
const sanitize = process.env['NODE_AWS_LC_BUILD'] === 'Sanitize';
const program = join(native, 'build', 'tests', sanitize ? 'Sanitize' : 'Release', 'engine-tests');

/** Compiling with sanitizers on a busy machine, in milliseconds. */
const patience = 5 * 60_000;
t.setTimeout(2 * patience);

t.test('the engine', async (t) => {
  t.setTimeout(2 * patience);
  const script = join(native, 'scripts', 'build-tests.mjs');
  const build = await runNode(t, script, sanitize ? ['--sanitize'] : [], { timeout: patience });
  t.comment(build.stdout + build.stderr);
  if (!t.equal(build.code, 0, 'the tests compile')) return;
  await t.spawn(program, [], { timeout: patience }, 'engine-tests');
});
