/**
 * Runs h2spec over TLS against a server of this library and against one of node:http2 over node:tls,
 * and prints what each fails: `npm run test:h2spec`. A failure that Node's own server does not have
 * makes the run fail. h2spec is looked for in the PATH and where Go installs programs:
 *
 *     go install github.com/summerwind/h2spec/cmd/h2spec@latest
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const require = createRequire(join(root, 'test', 'dist', 'package.json'));
const { createSecureServer } = require('@node-aws-lc/core');
const { server: makeIdentity } = require('./helpers/pki.js');

const program = findProgram();
if (program === undefined) {
  console.log(
    '[h2spec] skipped: needs h2spec (go install github.com/summerwind/h2spec/cmd/h2spec@latest)',
  );
  process.exit(0);
}

const { key, chain: cert } = await makeIdentity();
const answer = (request, response) => {
  request.resume();
  response.end('h2spec wants a body of more than a few bytes');
};
const ours = await examine('ours', createSecureServer({ key, cert }, answer));
const nodes = await examine(
  'node',
  http2.createSecureServer({ key, cert, allowHTTP1: true }, answer),
);

const news = ours.failures.filter((name) => !nodes.failures.includes(name));
for (const [who, { failures }] of Object.entries({ ours, node: nodes })) {
  for (const name of failures) console.log(`[h2spec] ${who} fails: ${name}`);
}
console.table({
  ours: { tests: ours.tests, failed: ours.failures.length },
  'node:http2 over node:tls': { tests: nodes.tests, failed: nodes.failures.length },
});
console.log(`[h2spec] ${news.length} failures that node:http2 over node:tls does not have`);
process.exitCode = news.length === 0 && ours.tests > 0 ? 0 : 1;

function findProgram() {
  const gopath = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim();
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    process.env.GOBIN,
    gopath && join(gopath, 'bin'),
    join(homedir(), 'go', 'bin'),
  ];
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, 'h2spec'))
    .find(existsSync);
}

async function examine(name, server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dir = mkdtempSync(join(tmpdir(), 'h2spec-'));
  const report = join(dir, 'report.xml');
  try {
    const { port } = server.address();
    const args = ['-t', '-k', '-h', '127.0.0.1', '-p', String(port), '-o', '5', '-j', report];
    console.log(`[h2spec] ${name}: h2spec ${args.slice(0, -2).join(' ')}`);
    const child = spawn(program, args, { stdio: 'ignore', timeout: 300_000 });
    await new Promise((resolve) => child.on('close', resolve));
    return read(readFileSync(report, 'utf8'));
  } finally {
    rmSync(dir, { recursive: true });
    server.close();
    server.closeAllConnections?.();
  }
}

/** A JUnit report: one element a test, with an element in it if it failed. */
function read(xml) {
  const cases = [...xml.matchAll(/<testcase ([^>]*?)(\/>|>([^]*?)<\/testcase>)/g)];
  const attribute = (text, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  const failures = cases
    .filter(([, , , body = '']) => /<(failure|error)\b/.test(body))
    .map(([, head]) => `${attribute(head, 'package')} ${attribute(head, 'classname')}`);
  return { tests: cases.length, failures };
}
