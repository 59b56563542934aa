/** A site of files, served in every way that Fastify has, to be compared between two servers. */
import compress from '@fastify/compress';
import serveStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import type { Test } from 'tap';
import { gzipSync } from 'node:zlib';
import * as pki from '../helpers/pki.js';
import { nextEvent, within } from '../helpers/wait.js';

const extensions = ['.html', '.txt', '.js', '.json', '.png', '.bin', ''];
const lengths = [0, 1, 4095, 4096, 16_383, 16_384, 16_385, 65_536, 100_001];

/** Makes files of every kind and length, and answers their folder and names. */
export function makeFiles(t: Test, count = 20): { root: string; names: string[] } {
  const root = t.testdir({});
  const names = Array.from(
    { length: count },
    (_, i) => `f${i}${extensions[i % extensions.length]!}`,
  );
  for (const [i, name] of names.entries()) {
    const length = lengths[i % lengths.length]! + (i > 100 ? i : 0);
    const text = Buffer.from(`${name} `.repeat(Math.ceil(length / name.length)));
    fs.writeFileSync(path.join(root, name), text.subarray(0, length));
  }
  fs.writeFileSync(path.join(root, 'large'), Buffer.alloc(3_000_000, 'a large file, '));
  fs.writeFileSync(path.join(root, 'index.html'), '<h1>index</h1>');
  fs.writeFileSync(path.join(root, 'pre.js'), 'let precompressed;');
  fs.writeFileSync(path.join(root, 'pre.js.gz'), gzipSync('let precompressed;'));
  return { root, names };
}

/** What happened in an application, told in words that do not depend on who does TLS. */
export type Diary = string[];

/** An application's log as a diary. */
export function logInto(diary: Diary): { level: string; stream: { write(line: string): void } } {
  const write = (line: string): void => {
    const { level, msg, err } = JSON.parse(line) as {
      level: number;
      msg: string;
      err?: { code?: string };
    };
    if (!/^(Server listening|incoming request|request completed)/.test(msg)) {
      diary.push(`log ${level} ${msg} ${err?.code ?? ''}`);
    }
  };
  return { level: 'info', stream: { write } };
}

/** Serves `root`, plainly and with everything that can come between a file and its response. */
export async function serveFiles(app: FastifyInstance, root: string, diary: Diary): Promise<void> {
  const file = (name: string): string => path.join(root, name);
  app.addHook('onResponse', (request, reply, done) => {
    diary.push(`${request.method} ${request.url} ${reply.statusCode}`);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    diary.push(`${request.method} ${request.url} aborted`);
    done();
  });
  await app.register(serveStatic, { root, preCompressed: true });
  await app.register(async (app) => {
    await app.register(compress, { threshold: 0 });
    await app.register(serveStatic, { root, prefix: '/zip/', decorateReply: false });
  });

  app.get('/stream/:name', (request, reply) =>
    reply.send(fs.createReadStream(file((request.params as { name: string }).name))),
  );
  app.get('/opened', async (_request, reply) => {
    const stream = fs.createReadStream(file('f12.bin'), { start: 0 });
    await nextEvent(stream, 'open');
    return reply.send(stream);
  });
  app.get('/measured', (_request, reply) =>
    reply.header('content-length', '3000000').send(fs.createReadStream(file('large'))),
  );
  app.get('/part', (_request, reply) =>
    reply.send(fs.createReadStream(file('large'), { start: 16_383, end: 1_200_000 })),
  );
  app.get('/behind', (_request, reply) =>
    reply.send(fs.createReadStream(file('f1.txt'), { start: 100 })),
  );
  app.get('/handle', async (_request, reply) =>
    reply.send((await open(file('f12.bin'))).createReadStream()),
  );
  app.get('/handle/part', async (_request, reply) =>
    reply.send((await open(file('f12.bin'))).createReadStream({ start: 1, end: 2000 })),
  );
  app.get('/handle/whole', async (_request, reply) => {
    const handle = await open(file('f12.bin'));
    const stream = handle.createReadStream({ start: 0 });
    stream.on('end', () => diary.push(`read ${stream.bytesRead}`));
    return reply.send(stream);
  });
  app.get('/descriptor', (_request, reply) => {
    const fd = fs.openSync(file('f12.bin'), 'r');
    fs.readSync(fd, Buffer.alloc(10));
    return reply.send(fs.createReadStream('', { fd }));
  });
  app.get('/encoded', (_request, reply) =>
    reply.send(fs.createReadStream(file('f12.bin'), 'latin1')),
  );
  app.get('/peeked', async (_request, reply) => {
    const stream = fs.createReadStream(file('f12.bin'));
    await nextEvent(stream, 'readable');
    stream.unshift(stream.read(5) as Buffer);
    return reply.send(stream);
  });
  app.get('/tapped', (_request, reply) => {
    let seen = 0;
    const stream = fs.createReadStream(file('f12.bin'));
    stream.on('data', (chunk) => (seen += chunk.length));
    stream.on('end', () => diary.push(`saw ${seen}`));
    return reply.send(stream);
  });
  app.get('/foreign', (_request, reply) => {
    // A file system of one's own, whose descriptors mean nothing to anybody else.
    const own = {
      ...fs,
      read(_fd: number, buffer: Buffer, at: number, length: number, position: number, done: Done) {
        const rest = 'from somewhere else'.slice(position);
        done(null, buffer.write(rest, at, length), buffer);
      },
    };
    return reply.send(fs.createReadStream(file('f12.bin'), { start: 0, fs: own }));
  });
  app.get('/through', (_request, reply) =>
    reply.send(fs.createReadStream(file('f12.bin')).pipe(new PassThrough())),
  );
  app.get('/status/:code', (request, reply) =>
    reply
      .code(Number((request.params as { code: string }).code))
      .send(fs.createReadStream(file('f3.json'))),
  );
  app.get('/trailers', (_request, reply) => {
    void reply.trailer('x-end', (_reply, _payload, done) => done(null, 'here'));
    return reply.send(fs.createReadStream(file('f12.bin')));
  });
  app.get('/replaced', {
    onSend: (_request, _reply, payload, done) => {
      const upper = new Transform({
        transform: (chunk: Buffer, _encoding, done) => done(null, chunk.toString().toUpperCase()),
      });
      done(null, (payload as fs.ReadStream).pipe(upper));
    },
    handler: (_request, reply) => reply.send(fs.createReadStream(file('f12.bin'))),
  });
  app.get('/raw', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'x-raw': 'yes' });
    reply.raw.write('first some words, ');
    fs.createReadStream(file('f12.bin')).pipe(reply.raw);
  });
  app.get('/wrapped', (_request, reply) => {
    const { raw } = reply;
    const write = raw.write.bind(raw) as (chunk: unknown) => boolean;
    raw.write = ((chunk: Buffer) => write(chunk.toString('latin1').toUpperCase())) as never;
    return reply.send(fs.createReadStream(file('f12.bin')));
  });
  app.get('/shrinks', (_request, reply) => {
    const name = file('shrinking');
    fs.writeFileSync(name, Buffer.alloc(1000, 'x'));
    const stream = fs.createReadStream(name);
    stream.on('open', () => fs.truncateSync(name, 300));
    return reply.send(stream);
  });
}

type Done = (error: null, length: number, buffer: Buffer) => void;

/** One request. */
export interface Request {
  path: string;
  method?: string;
  headers?: Record<string, string>;
}

/** Every file once, then one of each special kind. */
export function requests(names: string[]): Request[] {
  const range = (value: string, path = '/f12.bin'): Request => ({
    path,
    headers: { range: value },
  });
  return [
    ...names.map((name) => ({ path: `/${name}` })),
    ...['/', '/large', '/none', '/../etc/passwd', '/pre.js'].map((path) => ({ path })),
    { path: '/pre.js', headers: { 'accept-encoding': 'gzip' } },
    ...['gzip', 'br', 'identity', 'deflate;q=0.5, gzip'].map((encoding) => ({
      path: '/zip/f12.bin',
      headers: { 'accept-encoding': encoding },
    })),
    { path: '/zip/f1.txt', headers: { 'accept-encoding': 'gzip' } },
    ...['/f12.bin', '/large', '/f0.html', '/none', '/stream/large', '/measured', '/pre.js'].map(
      (path) => ({ path, method: 'HEAD' }),
    ),
    ...['bytes=0-0', 'bytes=1-', 'bytes=-1', 'bytes=0-99999999', 'bytes=4096-8191', 'bytes=-0'].map(
      (value) => range(value),
    ),
    ...['bytes=99999999-', 'bytes=5-2', 'lines=1-2', 'bytes=0-1,5-6'].map((value) => range(value)),
    range('bytes=1000000-2500000', '/large'),
    range('bytes=0-', '/f0.html'),
    { path: '/f12.bin', headers: { range: 'bytes=5-9', 'if-range': '"another"' } },
    { path: '/f12.bin', headers: { 'if-none-match': '*' } },
    { path: '/f12.bin', headers: { 'if-match': '"another"' } },
    { path: '/f12.bin', headers: { 'if-modified-since': new Date(0).toUTCString() } },
    {
      path: '/f12.bin',
      headers: { 'if-modified-since': new Date(Date.now() + 1e9).toUTCString() },
    },
    ...[...['large', 'f0.html', 'f1.txt', 'none', '.'].map((name) => `/stream/${name}`)].map(
      (path) => ({ path }),
    ),
    ...['/opened', '/measured', '/part', '/behind', '/handle', '/handle/part', '/handle/whole'].map(
      (path) => ({ path }),
    ),
    ...[
      '/descriptor',
      '/encoded',
      '/peeked',
      '/tapped',
      '/foreign',
      '/through',
      '/trailers',
      '/replaced',
      '/raw',
    ].map((path) => ({ path })),
    ...['/wrapped', '/shrinks', '/status/204', '/status/304'].map((path) => ({
      path,
    })),
  ];
}

/** A response as it can be compared: the date apart, it may say nothing about who made it. */
export interface Seen {
  status: string;
  headers: string[];
  trailers: string[];
  length: number;
  digest: string;
}

/** Makes one request with node:https. */
export async function see(port: number, agent: https.Agent, request: Request): Promise<Seen> {
  const ca = (await pki.root()).cert;
  const seen = new Promise<Seen>((resolve, reject) => {
    const { path, method = 'GET', headers = {} } = request;
    const sent = https.request({ host: '127.0.0.1', port, path, method, headers, ca, agent });
    sent.on('error', reject).on('response', (response) => {
      const hash = createHash('sha256');
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        length += chunk.length;
      });
      response.on('error', reject).on('end', () =>
        resolve({
          status: `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`,
          headers: pairs(response.rawHeaders).filter((header) => !/^date:/i.test(header)),
          trailers: pairs(response.rawTrailers),
          length,
          digest: hash.digest('hex'),
        }),
      );
    });
    sent.end();
  });
  return within(`${request.method ?? 'GET'} ${request.path}`, seen, 30_000);
}

function pairs(raw: string[]): string[] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${raw[i + 1]}`] : []));
}
