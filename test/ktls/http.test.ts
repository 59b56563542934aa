/**
 * The Fastify plugin and the undici connector, unchanged, over kernel TLS: curl, undici and node's
 * own clients get what they ask for, and every connection goes through the kernel.
 */
import { createConnector } from '@node-aws-lc/undici-connector';
import type { FastifyInstance } from 'fastify';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { listen, makeApp } from '../fastify-plugin/app.js';
import { h1, h2, h2Session } from '../fastify-plugin/clients.js';
import { run } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';
import { undicis } from '../undici-connector/undicis.js';
import { bulk } from './bulk.js';
import { expectInstalls, noneLeft } from './statistics.js';

const curl = missing('curl', 'curl');
const body = randomBytes(bulk);
const digest = sha256(body);

/** An application that tells where its record layer is, takes uploads and gives downloads. */
async function service(t: Test): Promise<{ app: FastifyInstance; port: number }> {
  const app = await makeApp(t, { tls: { ktls: 'require' }, fastify: { bodyLimit: 2 * bulk } });
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    (_request, data, done) => done(null, data),
  );
  app.get('/', (request) => ({ ktls: request.tls!.ktls, version: request.raw.httpVersion }));
  app.get('/download', (_request, reply) => reply.type('application/octet-stream').send(body));
  app.get('/stream', (_request, reply) => reply.send(Readable.from(slices(body))));
  app.post('/upload', (request) => sha256(request.body as Buffer));
  return { app, port: await listen(app) };
}

for (const [option, version, protocol] of [
  ['--http1.1', '1.1', 'HTTP/1.1'],
  ['--http2', '2.0', 'HTTP/2'],
] as const) {
  t.test(
    `curl, ${protocol}: small, 3 MiB down, 3 MiB up on one connection`,
    { skip: curl },
    async (t) => {
      await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
        const { app, port } = await service(t);
        const folder = t.testdir({ 'root.pem': (await pki.root()).cert });
        const file = (name: string) => path.join(folder, name);
        writeFileSync(file('body'), body);
        const url = `https://localhost:${port}`;
        const common = ['-sS', '--max-time', '60', '--cacert', file('root.pem'), option];
        const upload = [
          '-H',
          'content-type: application/octet-stream',
          '--data-binary',
          `@${file('body')}`,
        ];
        const { code, stderr } = await run(t, 'curl', [
          ...[...common, '-o', file('small'), `${url}/`, '--next'],
          ...[...common, '-o', file('download'), `${url}/download`, '--next'],
          ...[...common, '-o', file('stream'), `${url}/stream`, '--next'],
          ...[...common, '-o', file('upload'), ...upload, `${url}/upload`],
        ]);
        t.equal(code, 0, stderr);
        t.same(JSON.parse(readFileSync(file('small'), 'utf8')), {
          ktls: { tx: true, rx: true },
          version,
        });
        t.equal(sha256(readFileSync(file('download'))), digest, 'down');
        t.equal(sha256(readFileSync(file('stream'))), digest, 'down in pieces');
        t.equal(readFileSync(file('upload'), 'utf8'), digest, 'up');
        t.match(app.tls.stats(), { handshakes: 1, ktls: { tx: 1, rx: 1 } });
        await app.close();
      });
    },
  );
}

for (const { name, undici, skip } of undicis) {
  for (const allowH2 of [false, true]) {
    const protocol = allowH2 ? 'HTTP/2' : 'HTTP/1.1';
    t.test(`${name} with our connector, ${protocol}`, { skip }, async (t) => {
      await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
        const { app, port } = await service(t);
        const connect = createConnector({ ca: (await pki.root()).cert, ktls: 'require', allowH2 });
        const agent = new undici!.Agent({ connect, connections: 1, allowH2 });
        const url = `https://localhost:${port}`;
        const small = await undici!.request(url, { dispatcher: agent });
        t.same(await small.body.json(), {
          ktls: { tx: true, rx: true },
          version: allowH2 ? '2.0' : '1.1',
        });
        for (const what of ['/download', '/stream']) {
          const down = await undici!.request(url + what, { dispatcher: agent });
          t.equal(sha256(Buffer.from(await down.body.arrayBuffer())), digest, what);
        }
        const headers = { 'content-type': 'application/octet-stream' };
        const up = { dispatcher: agent, method: 'POST', headers, body } as const;
        t.equal(await (await undici!.request(`${url}/upload`, up)).body.text(), digest, 'up');
        for (let i = 0; i < 200; i++) {
          const { body } = await undici!.request(url, { dispatcher: agent });
          await body.dump();
        }
        await agent.close();
        await app.close();
      });
    });
  }
}

t.test('node:https and node:http2', async (t) => {
  await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
    const { app, port } = await service(t);
    const one = await h1(port, '/');
    t.match(JSON.parse(one.body), { ktls: { tx: true, rx: true }, version: '1.1' });
    const session = await h2Session(t, port);
    const answers = await Promise.all(Array.from({ length: 50 }, () => h2(session, '/')));
    for (const { body } of answers) {
      t.match(JSON.parse(body), { ktls: { tx: true, rx: true }, version: '2.0' });
    }
    session.close();
    await app.close();
  });
});

t.test('the application says how many connections the kernel has refused, and why', async (t) => {
  const app = await makeApp(t, { tls: { ktls: { rx: 'off' } } });
  app.get('/', (request) => request.tls!.ktls);
  const port = await listen(app);
  t.match(JSON.parse((await h1(port)).body), { tx: true, rx: false });
  const { ktls } = app.tls.stats();
  t.match(ktls, { tx: 1, rx: 0 });
  t.same(Object.values(ktls.refused), [1]);
});

t.test('nothing stays in the kernel', noneLeft);

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function* slices(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 50_000) yield data.subarray(at, at + 50_000);
}
