/** The count lab: what a command gets in it, what its caller gets, and that its clock counts. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../helpers/children.js';
import { countLabMissing, countLabScript } from '../helpers/lab.js';

const skip = countLabMissing();

// Two boots, each some seconds, on a busy machine more.
t.setTimeout(240_000);

const core = path.join(__dirname, '..', '..', '..', 'packages', 'core');

t.test('a script runs there with this package, and time is instructions', { skip }, async (t) => {
  const script = `
    const { hostKtls, awsLc } = require(${JSON.stringify(core)});
    const cpu = () => process.cpuUsage().user + process.cpuUsage().system;
    const counts = Array.from({ length: 8 }, () => {
      const [time, own] = [process.hrtime.bigint(), cpu()];
      for (let i = 0; i < 2e6; i++);
      return [Number(process.hrtime.bigint() - time), 1000 * (cpu() - own)];
    });
    const { available, ciphers, kernel } = hostKtls();
    const random = require('node:crypto').randomBytes(4).length;
    console.log(JSON.stringify({ awsLc, available, ciphers, kernel, counts, random }));
    console.error('to the other output');
    process.exit(7);`;
  const { code, stdout, stderr } = await count(t, script, ['a b', "it's", '']);
  t.equal(code, 7, stderr);
  t.match(stderr, 'to the other output');
  const says = JSON.parse(stdout) as Record<string, unknown> & { counts: [number, number][] };
  t.match(says, { available: true, kernel: /-cloud-amd64$/, awsLc: { fips: false } });
  t.same(says['ciphers'], ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']);
  // In the first ones the compiler is at work beside them.
  const [one, other] = says.counts.slice(-2) as [[number, number], [number, number]];
  t.ok(one[0] > 2e6, 'a round of the loop is more than one instruction');
  t.ok(
    Math.abs(one[0] / other[0] - 1) < 0.05,
    `the same work counts alike: ${says.counts.join(' ')}`,
  );
  t.ok(Math.abs(one[0] / one[1] - 1) < 0.05, `and the process did all of it: ${one.join(' ')}`);
});

t.test('a program that is not there is said to be missing before anything boots', async (t) => {
  const { code, stderr } = await run(t, process.execPath, [countLabScript, 'no-such-program']);
  t.equal(code, 2);
  t.match(stderr, 'there is no program no-such-program');
});

t.test('an emulator that is not there is named with its package', async (t) => {
  const env = { PATH: '/nowhere' };
  const { code, stderr } = await run(t, process.execPath, [countLabScript, '--check'], { env });
  t.equal(code, 77);
  t.match(stderr, /\[lab\] needs qemu-system-x86_64 \(Debian package qemu-system-x86\)/);
});

t.test('a guest that goes down before its command ended has no status', { skip }, async (t) => {
  const { code, stderr } = await run(
    t,
    process.execPath,
    [countLabScript, 'sh', '-c', 'busybox poweroff -f; sleep 5'],
    { timeout: 120_000 },
  );
  t.equal(code, 125, stderr);
});

/** Runs a script of its own file, with arguments. */
function count(t: Test, script: string, args: string[]) {
  const file = path.join(t.testdir(), 'script.js');
  writeFileSync(file, script);
  // The test runner's hooks into Node's processes are not there in the guest.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, countLabScript, 'node', file, ...args];
  return run(t, 'env', command, { timeout: 120_000 });
}
