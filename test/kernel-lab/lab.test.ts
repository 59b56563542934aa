/** The lab itself: what the command gets, what its caller gets, and what stays behind. */
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import t, { type Test } from 'tap';
import { Child, type ChildOptions, run } from '../helpers/children.js';
import { ktlsSuite, labMissing, labScript } from '../helpers/lab.js';
import { eventually } from '../helpers/wait.js';

const skip = labMissing();

// A boot takes a few seconds, on a busy machine more.
t.setTimeout(240_000);

t.test('the command has arguments, folder and environment of its caller', { skip }, async (t) => {
  const print =
    'console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.X]))';
  const args = ['a b', "it's", '$HOME', '--mem', ''];
  const X = 'one\ntwo';
  const { code, stdout } = await inLab(t, [process.execPath, '-e', print, '--', ...args], {
    env: { X },
  });
  t.equal(code, 0);
  t.same(JSON.parse(stdout), [args, process.cwd(), X]);
});

t.test('--cwd is where the command runs, as npm calls the lab with', { skip }, async (t) => {
  const folder = t.testdir({ 'script.js': 'console.log(process.cwd())' });
  const { code, stdout } = await inLab(t, ['--cwd', folder, process.execPath, 'script.js']);
  t.equal(code, 0);
  t.equal(stdout.trim(), folder);
  const scripts = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: Record<string, string>;
  };
  t.match(scripts.scripts['lab'], '--cwd "$INIT_CWD"');
});

t.test('options that cannot be meant are refused with a word, before a boot', async (t) => {
  for (const [option, value] of [
    ['--timeout', 'abc'],
    ['--timeout', '-5'],
    ['--timeout', '0'],
    ['--timeout', '1e9'],
    ['--mem', 'much'],
    ['--kernel', 'other'],
    ['--cwd', '/nowhere'],
  ] as const) {
    const { code, stderr } = await inLab(t, [`${option}=${value}`, 'true']);
    t.equal(code, 2, `${option} ${value}`);
    t.match(stderr, new RegExp(`${option}.*usage:`, 's'));
  }
});

t.test('a module that the kernel has not is refused', { skip }, async (t) => {
  const { code, stderr } = await inLab(t, ['--module', 'nosuch', 'true']);
  t.equal(code, 2);
  t.match(stderr, /no module nosuch/);
});

t.test('a file of tests that ends before its first has not passed', async (t) => {
  const folder = t.testdir({ 'none.test.js': 'process.exit(0)' });
  const env = { NODE_AWS_LC_KTLS_TESTS: folder };
  const { code, stdout } = await run(t, process.execPath, [ktlsSuite], { env });
  t.equal(code, 1);
  t.match(stdout, /not ok 1 .*none\.test\.js/);
});

t.test('status and both outputs come back apart, whole and unchanged', { skip }, async (t) => {
  const { code, stdout, stderr } = await inLab(t, [
    'sh',
    '-c',
    'seq 100000; printf "a\\r\\n\\tb\\004"; seq 5 >&2; exit 7',
  ]);
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');
  t.equal(code, 7);
  t.ok(stdout === `${numbers(100_000)}a\r\n\tb\u0004`, 'standard output');
  t.equal(stderr, numbers(5));
});

t.test('the kernel is another, with TLS and loopback addresses', { skip }, async (t) => {
  const print = `
    const { networkInterfaces, release } = require('node:os');
    const statistics = require('node:fs').readFileSync('/proc/net/tls_stat', 'utf8');
    const addresses = networkInterfaces().lo.map(({ address }) => address);
    console.log(JSON.stringify({ kernel: release(), statistics, addresses }));`;
  const { stdout } = await inLab(t, [process.execPath, '-e', print]);
  const { kernel, statistics, addresses } = JSON.parse(stdout) as Record<string, unknown>;
  t.not(kernel, release());
  t.match(statistics, /^TlsTxSw\s+0$/m);
  t.same(addresses, ['127.0.0.1', '::1']);
});

t.test('a kernel without TLS is to be had', { skip }, async (t) => {
  const { code } = await inLab(t, ['--no-tls', 'test', '-e', '/proc/net/tls_stat']);
  t.equal(code, 1);
});

t.test('what is written to /tmp stays in the guest', { skip }, async (t) => {
  const file = `/tmp/node-aws-lc-lab-${process.pid}`;
  const { stdout } = await inLab(t, ['sh', '-c', `echo written >${file}; cat ${file}`]);
  t.equal(stdout, 'written\n');
  t.notOk(readdirSync('/tmp').includes(file.slice('/tmp/'.length)));
});

t.test('a command that takes too long is killed', { skip }, async (t) => {
  const { code, stderr } = await inLab(t, ['--timeout', '4', 'sleep', '100']);
  t.equal(code, 124);
  t.match(stderr, 'killed after 4 s');
});

t.test('labs run at the same time', { skip }, async (t) => {
  const command = ['cat', '/proc/sys/kernel/random/boot_id'];
  const boots = await Promise.all([inLab(t, command), inLab(t, command)]);
  t.not(boots[0].stdout, boots[1].stdout);
});

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  t.test(`nothing is left running after ${signal}`, { skip }, async (t) => {
    const command = ['sh', '-c', 'echo running; sleep 100'];
    const lab = new Child(t, process.execPath, [labScript, ...command], { timeout: 120_000 });
    await lab.saw(/running/, 60_000);
    const kernels = kernelsOf(lab.pid);
    t.ok(kernels.length > 0, 'the kernel is there before');
    await lab.kill(signal);
    await eventually('the end of the kernel', () => kernelsOf(lab.pid).length === 0);
  });
}

function inLab(t: Test, args: string[], options: ChildOptions = {}) {
  return run(t, process.execPath, [labScript, ...args], { timeout: 120_000, ...options });
}

/** The processes of a lab's kernel, which has the lab's process id in the paths on its command line. */
function kernelsOf(pid: number): string[] {
  return readdirSync('/proc').filter((entry) => commandLine(entry).includes(`/run-${pid}-`));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
