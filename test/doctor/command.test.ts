/** `npx node-aws-lc doctor`, as people and scripts run it, on this host. */
import { hostKtls } from '@node-aws-lc/core';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import t from 'tap';
import { run, runNode } from '../helpers/children.js';
import { missing } from '../helpers/tools.js';
import { core, program } from './internals.js';

/** A sanitized addon needs its runtime preloaded in Node, and a shell would run under it, too. */
const behindAShell =
  process.env['NODE_AWS_LC_BUILD'] === 'Sanitize' &&
  'a shell does not pass the sanitizer on to Node alone';

const STATUS: Record<string, number> = { kernel: 0, userspace: 1, part: 3 };

t.test('the exit status is that of the verdict, and the advice is hostKtls()’s', async (t) => {
  const { code, stdout, stderr } = await runNode(t, program, ['doctor', '--json']);
  const says = JSON.parse(stdout) as Report;
  t.equal(stderr, '');
  t.equal(code, STATUS[says.verdict]);
  t.same(
    says.findings.map(({ advice }) => advice),
    hostKtls().advice,
  );
  t.match(says.versions, { node: process.version, awsLc: /^\d+\.\d+/ });
});

t.test('people get the same in words', async (t) => {
  const [text, json] = await Promise.all([
    runNode(t, program, ['doctor']),
    runNode(t, program, ['doctor', '--json']),
  ]);
  t.equal(text.code, json.code);
  const inOneLine = text.stdout.replace(/\s+/g, ' ');
  for (const { advice } of (JSON.parse(json.stdout) as Report).findings) {
    t.ok(inOneLine.includes(advice), advice);
  }
});

for (const args of [[], ['examine'], ['doctor', '--colour'], ['doctor', 'ktls']]) {
  t.test(`refused: node-aws-lc ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runNode(t, program, args);
    t.equal(code, 2);
    t.equal(stdout, '');
    t.match(stderr, /^.+\n\nusage: npx node-aws-lc doctor \[--json\]/);
  });
}

t.test('help is no error', async (t) => {
  const { code, stdout, stderr } = await runNode(t, program, ['--help']);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /Exit status:\n {2}0 /);
});

t.test('without its addon it says so, to people and to scripts', async (t) => {
  const env = { NODE_AWS_LC_BUILD: 'Nowhere' };
  const text = await runNode(t, program, ['doctor'], { env });
  t.equal(text.code, 4);
  t.match(text.stderr, /TLS does not work here: Cannot load the AWS-LC addon/);
  const json = await runNode(t, program, ['doctor', '--json'], { env });
  t.equal(json.code, 4);
  t.match(JSON.parse(json.stdout), { verdict: 'broken', error: { code: 'ERR_AWS_LC_ADDON' } });
});

const skip = missing('strace', 'strace') || strangerToStrace();
const DENIED = [
  ['EPERM', 'attach-denied'],
  ['ENOPROTOOPT', 'attach-unknown'],
  ['ENOENT', 'module-missing'],
] as const;

for (const [error, key] of DENIED) {
  t.test(`a host whose setsockopt answers ${error}`, { skip }, async (t) => {
    const inject = ['-f', '-qq', '-o', '/dev/null', '-e', `inject=setsockopt:error=${error}`];
    const command = [...inject, process.execPath, program, 'doctor', '--json'];
    const { code, stdout, stderr } = await run(t, 'strace', command);
    t.equal(code, 1, stderr);
    t.match((JSON.parse(stdout) as Report).findings, [{ key }]);
  });
}

t.test(
  'npx finds it in a project that has installed the package',
  { skip: behindAShell },
  async (t) => {
    const folder = t.testdir({ 'package.json': '{ "private": true }' });
    const install = [
      'install',
      '--offline',
      '--prefix',
      folder,
      core,
      path.join(core, '../native'),
    ];
    const installed = await run(t, 'npm', install);
    t.equal(installed.code, 0, installed.stderr);
    const npx = ['--offline', '--no', '--prefix', folder, 'node-aws-lc', 'doctor', '--json'];
    const { code, stdout, stderr } = await run(t, 'npx', npx);
    t.ok([0, 1, 3].includes(code ?? -1), stderr);
    t.match(JSON.parse(stdout), { versions: { node: process.version } });
  },
);

/** strace's ptrace(2) is denied in some sandboxes, and under LeakSanitizer. */
function strangerToStrace(): string | false {
  if (process.env['NODE_AWS_LC_BUILD'] === 'Sanitize') return 'LeakSanitizer does not run traced';
  const { status } = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']);
  return status === 0 ? false : 'strace may not trace here';
}

interface Report {
  verdict: string;
  versions: object;
  findings: { key: string; advice: string }[];
}

t.test(
  'a reader that has seen enough does not change the verdict',
  { skip: behindAShell },
  async (t) => {
    const { status: whole } = spawnSync(process.execPath, [program, 'doctor']);
    const command = `"$0" "$1" doctor | true; echo \${PIPESTATUS[0]}`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, program]);
    t.equal(String(stderr), '');
    t.equal(Number(stdout), whole);
  },
);

t.test('a report that cannot be written is no verdict', { skip: behindAShell }, async (t) => {
  const command = '"$0" "$1" doctor > /dev/full';
  const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, program]);
  t.equal(status, 5);
  t.match(String(stderr), /^the report cannot be written: .*ENOSPC/);
});
