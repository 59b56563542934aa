/**
 * What can happen to a file that the kernel sends as a response, beside the same response on
 * Fastify's own https: readers that go or that wait, requests in a row, files that change.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { rawTls, untilClosed } from '../fastify-plugin/clients.js';
import { makeFiles, see } from '../fastify-plugin/static-site.js';
import { run } from '../helpers/children.js';
import { settledDescriptorCount } from '../helpers/descriptors.js';
import { missing } from '../helpers/tools.js';
import { eventually } from '../helpers/wait.js';
import { countingFiles, fastifysSite, ourSite } from './static-sites.js';
import { noneLeft } from './statistics.js';

t.setTimeout(170_000);

/** More than the buffers of a loopback connection hold. */
const flood = 16_000_000;

for (const path_ of ['/huge', '/stream/huge']) {
  t.test(`a reader that goes in the middle of ${path_}`, async (t) => {
    const { root } = makeFiles(t);
    fs.writeFileSync(path.join(root, 'huge'), Buffer.alloc(flood));
    const diaries: string[][] = [];
    for (const site of [await ourSite(t, root), await fastifysSite(t, root)]) {
      const before = await settledDescriptorCount(0, 100);
      for (let turn = 0; turn < 2; turn++) {
        const client = await rawTls(t, site.port);
        client.write(`GET ${path_} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
        await eventually('the first bytes', () => client.bytesRead > 100);
        client.pause();
        await sleep(300);
        client.destroy();
        await eventually('the end of the response', () => site.diary.length >= 2 * turn + 2);
      }
      t.ok((await settledDescriptorCount(before)) <= before, 'no descriptor stays open');
      diaries.push(site.diary);
    }
    t.same(diaries[0], diaries[1], 'hooks and logs');
  });
}

t.test('a reader that goes while more requests of his wait harms nobody else', async (t) => {
  const { root } = makeFiles(t);
  fs.writeFileSync(path.join(root, 'huge'), Buffer.alloc(flood));
  const site = await ourSite(t, root);
  for (const path_ of ['/huge', '/stream/huge']) {
    const client = await rawTls(t, site.port);
    client.write(`GET ${path_} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(3));
    await eventually('the first bytes', () => client.bytesRead > 100);
    client.pause();
    await sleep(300);
    client.destroy();
    t.match(await see(site.port, site.agent, { path: '/f12.bin' }), { length: 4096 });
  }
});

t.test('requests that come all at once are answered in turn', async (t) => {
  const { root } = makeFiles(t);
  const answers: string[] = [];
  const sent = countingFiles(t);
  for (const site of [await ourSite(t, root), await fastifysSite(t, root)]) {
    const client = await rawTls(t, site.port);
    const paths = ['/large', '/f1.txt', '/stream/f12.bin', '/f0.html', '/large', '/none', '/raw'];
    client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(''));
    client.write('GET /f12.bin HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    answers.push(unchunked((await untilClosed(client)).toString('latin1')));
  }
  t.ok(answers[0] === answers[1], 'byte for byte');
  t.ok(sent() >= 6, 'by the kernel');
});

t.test('HTTP/1.0 and a body that ends with the connection', async (t) => {
  const { root } = makeFiles(t);
  const answers: string[] = [];
  for (const site of [await ourSite(t, root), await fastifysSite(t, root)]) {
    const client = await rawTls(t, site.port);
    client.write('GET /stream/large HTTP/1.0\r\n\r\n');
    answers.push(unchunked((await untilClosed(client)).toString('latin1')));
  }
  t.ok(answers[0] === answers[1], 'byte for byte');
  t.ok(answers[0]!.length > 3_000_000);
});

t.test('a reader that takes its time holds the file back, not the memory', async (t) => {
  const { root } = makeFiles(t);
  fs.writeFileSync(path.join(root, 'huge'), Buffer.alloc(flood));
  const site = await ourSite(t, root);
  const client = await rawTls(t, site.port);
  const before = process.memoryUsage().rss;
  client.pause();
  client.write('GET /huge HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  await sleep(500);
  t.ok(process.memoryUsage().rss - before < 8_000_000, 'while it waits');
  let received = 0;
  client.on('data', (chunk: Buffer) => (received += chunk.length));
  client.resume();
  await eventually('all of it', () => received > flood, 60_000);
});

for (const [grown, path_] of [
  [false, '/stream/changing'],
  [true, '/stream/changing'],
  [false, '/changing'],
] as const) {
  t.test(`a file that ${grown ? 'grows' : 'shrinks'} under ${path_}`, async (t) => {
    const { root } = makeFiles(t);
    const name = path.join(root, 'changing');
    fs.writeFileSync(name, Buffer.alloc(flood, 'c'));
    const site = await ourSite(t, root);
    const client = await rawTls(t, site.port);
    let received = '';
    client.setEncoding('latin1').on('data', (text: string) => (received += text));
    client.write(`GET ${path_} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    await eventually('the first bytes', () => received.length > 1000);
    client.pause();
    await sleep(300);
    if (grown) fs.appendFileSync(name, 'grown');
    else fs.truncateSync(name, 100);
    client.resume();
    await eventually('the end', () => client.closed, 60_000);
    const [, head, body] = /^([^]*?)\r\n\r\n([^]*)$/.exec(received)!;
    if (grown) {
      t.match(head, /chunked/);
      t.equal(lengthOfChunks(body!), flood + 5, 'as long as it is');
    } else {
      t.ok(body!.length < flood, `${body!.length} bytes`);
      t.notOk(received.endsWith('0\r\n\r\n'), 'and no end that would hide it');
    }
    t.match(await see(site.port, site.agent, { path: '/f1.txt' }), { length: 1 });
  });
}

t.test('a response that is over leaves the connection for the next', async (t) => {
  const { root } = makeFiles(t);
  const site = await ourSite(t, root);
  for (let i = 0; i < 50; i++) {
    t.match(await see(site.port, site.agent, { path: '/f12.bin' }), { length: 4096 });
  }
  t.equal(site.connections, 1);
});

t.test('curl, ten ranges of one file', { skip: missing('curl', 'curl') }, async (t) => {
  const { root } = makeFiles(t);
  const site = await ourSite(t, root);
  const folder = root;
  const parts = Array.from({ length: 10 }, (_, i) => `${i * 300_000}-${i * 300_000 + 299_999}`);
  const args = parts.flatMap((range, i) => [
    ...['--next', '-sSk', '--http1.1', '--max-time', '60', '-r', range],
    ...['-o', path.join(folder, String(i)), `https://127.0.0.1:${site.port}/large`],
  ]);
  const { code, stderr } = await run(t, 'curl', args.slice(1), { timeout: 60_000 });
  t.equal(code, 0, stderr);
  const whole = Buffer.concat(parts.map((_, i) => fs.readFileSync(path.join(folder, String(i)))));
  t.ok(whole.equals(fs.readFileSync(path.join(root, 'large'))));
});

t.test('wget goes on where it was broken off', { skip: missing('wget', 'wget') }, async (t) => {
  const { root } = makeFiles(t);
  const site = await ourSite(t, root);
  const large = fs.readFileSync(path.join(root, 'large'));
  const file = path.join(root, 'got');
  fs.writeFileSync(file, large.subarray(0, 1_234_567));
  const sent = countingFiles(t);
  const args = ['--no-check-certificate', '--continue', '-qO', file];
  const { code, stderr } = await run(t, 'wget', [...args, `https://127.0.0.1:${site.port}/large`], {
    timeout: 60_000,
  });
  t.equal(code, 0, stderr);
  t.ok(fs.readFileSync(file).equals(large));
  t.equal(sent(), 1);
});

t.test('nothing stays in the kernel', noneLeft);

/** Of a chunked body that is complete. */
function lengthOfChunks(body: string): number {
  let total = 0;
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at);
    const length = parseInt(body.slice(at, end), 16);
    if (length === 0) return body.slice(end) === '\r\n\r\n' ? total : NaN;
    total += length;
    at = end + 2 + length + 2;
  }
}

/** Without the framing of chunks, whose lengths are nobody's business, and without dates. */
function unchunked(answers: string): string {
  return answers
    .replace(/\r\n[0-9a-f]+\r\n(?!HTTP)/g, '\r\n')
    .replace(/Date: .*\r\n/g, '')
    .replace(/\r\n/g, '');
}
