/** Which TLS library answers, and how much of it the process holds. */
import { awsLc, hostKtlsAvailable } from '@node-aws-lc/core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import t from 'tap';
import { connected } from '../helpers/handshake.js';
import { run, runNode } from '../helpers/children.js';
import { missing } from '../helpers/tools.js';

t.test('the library that answers is AWS-LC and not the OpenSSL inside Node', async (t) => {
  t.match(awsLc.version, /\d+\.\d+\.\d+/);
  t.not(awsLc.version, process.versions.openssl);
  t.notMatch(awsLc.version, /openssl/i);
  t.type(awsLc.fips, 'boolean');
  t.throws(() => Object.assign(awsLc, { version: 'other' }), 'and it cannot be overwritten');
});

t.test('a group that no OpenSSL of these Node versions knows is negotiated', async (t) => {
  const groups = ['SecP384r1MLKEM1024'];
  const { client } = await connected(t, { server: { groups }, client: { groups } });
  t.equal(client.negotiated.group, 'SecP384r1MLKEM1024');
});

t.test('the process holds one addon, whatever the import style', async (t) => {
  await import('@node-aws-lc/core');
  createRequire(__filename)('@node-aws-lc/core');
  t.equal(loadedAddons().length, 1);
});

t.test('the random generator is seeded on the thread pool, not on the event loop', async (t) => {
  const { stdout, stderr } = await runNode(t, path.join(__dirname, 'programs', 'seeded.js'));
  // Gathering the seed takes some forty.
  t.ok(Number(stdout) < 10, `${stdout.trim()} ms ${stderr}`);
});

t.test(
  'the addon exports nothing but the entry points of Node-API',
  { skip: missing('nm', 'binutils') },
  async (t) => {
    const { code, stdout } = await run(t, 'nm', ['-D', '--defined-only', ...loadedAddons()]);
    t.equal(code, 0);
    const symbols = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).at(-1)!.split('@')[0]!);
    const entryPoints = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
    t.ok(symbols.includes('napi_register_module_v1'));
    t.same(
      symbols.filter((symbol) => !entryPoints.includes(symbol)),
      [],
    );
  },
);

t.test('asking whether the host has kernel TLS answers without loading it', async (t) => {
  const before = modules();
  t.type(hostKtlsAvailable(), 'boolean');
  t.same(modules(), before);
});

/** The addons mapped into this process that belong to this project. */
function loadedAddons(): string[] {
  const files = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .map((line) => line.slice(line.indexOf('/')))
    .filter((file) => file.endsWith('.node') && /aws.?lc/i.test(path.basename(file)));
  return [...new Set(files)];
}

/** The kernel's modules, without their use counts; empty where the kernel does not tell. */
function modules(): string[] {
  try {
    const lines = readFileSync('/proc/modules', 'utf8').split('\n');
    return lines.map((line) => line.split(' ')[0]!);
  } catch {
    return [];
  }
}
