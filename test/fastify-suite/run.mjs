/**
 * Runs Fastify's own tests, from its published package, with servers made by this library, and prints
 * a table: `npm run test:fastify-suite [-- file…]`. What fails for a reason that docs/fastify.md gives
 * is listed in known.json; anything else that fails makes the run fail.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const cache = join(here, '.cache');
const require = createRequire(join(root, 'package.json'));
const { version } = require('fastify/package.json');

/** By subject: https, http2, time-outs, close, hooks, and what else a server or a connection shows. */
const FILES = [
  'https/custom-https-server.test.js',
  'https/https.test.js',
  'http2/closing.test.js',
  'http2/constraint.test.js',
  'http2/head.test.js',
  'http2/secure.test.js',
  'http2/secure-with-fallback.test.js',
  'http2/unknown-http-method.test.js',
  'client-timeout.test.js',
  'connection-timeout.test.js',
  'keep-alive-timeout.test.js',
  'request-timeout.test.js',
  'handler-timeout.test.js',
  'max-requests-per-socket.test.js',
  'close.test.js',
  'close-disposable.test.js',
  'close-pipelining.test.js',
  'async-dispose.test.js',
  'hooks.test.js',
  'hooks-async.test.js',
  'hooks.on-listen.test.js',
  'hooks.on-ready.test.js',
  'route-hooks.test.js',
  'header-overflow.test.js',
  'listen.1.test.js',
  'listen.2.test.js',
  'listen.3.test.js',
  'listen.4.test.js',
  'listen.5.test.js',
  'reply-early-hints.test.js',
  'reply-trailers.test.js',
  'request-error.test.js',
  'request-port.test.js',
  'server.test.js',
  'stream.1.test.js',
  'stream.5.test.js',
  'trust-proxy.test.js',
  'upgrade.test.js',
];

const known = JSON.parse(readFileSync(join(here, 'known.json'), 'utf8'));
const chosen = process.argv.slice(2);
const files = (chosen.length > 0 ? chosen : FILES).filter((file) => existsOrSay(file));
prepare();

const identity = JSON.stringify(await makeIdentity());
const rows = [];
let unexpected = 0;
for (const file of files) {
  const row = { file };
  for (const form of ['own', 'plugin', 'serverFactory']) {
    const { passed, failures } = await run(file, form);
    const news = form === 'own' ? [] : failures.filter((name) => !isKnown(file, form, name));
    unexpected += news.length;
    row[form] =
      failures.length === 0 ? `${passed} pass` : `${passed} pass, ${failures.length} fail`;
    for (const name of failures) {
      console.log(
        `[fastify-suite] ${form}: ${file}: ${name}${news.includes(name) ? ' (NEW)' : ''}`,
      );
    }
  }
  rows.push(row);
}
console.table(rows);
console.log(`[fastify-suite] fastify ${version}; ${unexpected} failures without a written reason`);
process.exitCode = unexpected === 0 ? 0 : 1;

function isKnown(file, form, name) {
  return known.some(
    (entry) => entry.file === file && entry.tests.includes(name) && (entry.form ?? form) === form,
  );
}

function existsOrSay(file) {
  prepare();
  const found = existsSync(join(suite(), 'test', file));
  if (!found) console.log(`[fastify-suite] ${file}: not in this version of Fastify`);
  return found;
}

function suite() {
  return join(cache, version, 'package');
}

/** The package as published, beside what its tests need. */
function prepare() {
  if (existsSync(join(suite(), 'node_modules', 'undici'))) return;
  const dir = join(cache, version);
  mkdirSync(dir, { recursive: true });
  console.log(`[fastify-suite] getting fastify ${version} and what its tests need`);
  const npm = (args, cwd) =>
    execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  npm(['pack', `fastify@${version}`, '--silent'], dir);
  execFileSync('tar', ['xzf', `fastify-${version}.tgz`], { cwd: dir });
  const file = join(suite(), 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const needed = [
    'undici',
    'split2',
    'node-forge',
    'proxyquire',
    'fastify-plugin',
    'h2url',
    'http-errors',
    'JSONStream',
    'joi',
    'yup',
  ];
  const { devDependencies: all, dependencies, name, main, type } = manifest;
  const devDependencies = Object.fromEntries(
    needed.filter((key) => all[key]).map((key) => [key, all[key]]),
  );
  writeFileSync(file, JSON.stringify({ name, version, main, type, dependencies, devDependencies }));
  npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'], suite());
}

/** Runs one file; `own` is Fastify as it is, for comparison. */
async function run(file, form) {
  const env = { ...process.env };
  const args = ['--test-reporter=tap', '--test-timeout=10000', '--test-force-exit'];
  if (form !== 'own') {
    args.push('--require', join(here, 'substitute.cjs'));
    env.AWS_LC_FORM = form;
    env.AWS_LC_PLUGIN = join(root, 'packages', 'fastify-plugin');
    env.AWS_LC_IDENTITY = identity;
    env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    env.NODE_PATH = join(suite(), 'node_modules');
  }
  const child = spawn(process.execPath, [...args, join(suite(), 'test', file)], {
    cwd: suite(),
    env,
    timeout: 180_000,
    killSignal: 'SIGKILL',
  });
  let tap = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (tap += text));
  child.stderr.resume();
  const [code, signal] = await new Promise((resolve) =>
    child.on('close', (...end) => resolve(end)),
  );
  const passed = [...tap.matchAll(/^ok \d+ - (.*?)( # .*)?$/gm)].length;
  const failures = [...tap.matchAll(/^not ok \d+ - (.*?)( # .*)?$/gm)].map(([, name]) => name);
  if (failures.length === 0 && (code !== 0 || passed === 0)) {
    failures.push(`ended with ${code ?? signal}`);
  }
  return { passed, failures };
}

/** A certificate for localhost, made for this run. */
async function makeIdentity() {
  const { serverFor } = require(join(root, 'test/dist/helpers/pki.js'));
  const { key, chain } = await serverFor(['dns:localhost', 'ip:127.0.0.1', 'ip:::1'], 'localhost');
  return { key, cert: chain };
}
