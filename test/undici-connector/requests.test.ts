/** undici's API over the connector: every way to make a request, on both protocols. */
import { createHash } from 'node:crypto';
import { PassThrough, type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { root } from '../helpers/pki.js';
import { type Protocol, startOrigin } from './origin.js';
import { pattern, patternDigest } from './pattern.js';
import { type Undici, undicis } from './undicis.js';

/** Odd, and larger than any buffer on the way. */
const BIG = 24 * 1024 * 1024 + 7;
const bigDigest = patternDigest(BIG);

for (const { name, undici, skip } of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    t.test(`${name} over ${protocol}`, { skip }, (t) => requests(t, undici!, protocol));
  }
}

async function requests(t: tap.Test, undici: Undici, protocol: Protocol): Promise<void> {
  const { cert: ca } = await root();
  const allowH2 = protocol === 'h2';
  const httpVersion = allowH2 ? '2.0' : '1.1';
  const origin = await startOrigin({ protocol });
  t.teardown(() => origin.close());

  const newAgent = (t: tap.Test, options = {}) => {
    const connect = createConnector({ ca, allowH2 });
    const agent = new undici.Agent({ allowH2, ...options, connect });
    t.teardown(() => agent.destroy());
    return agent;
  };

  t.test('request', async (t) => {
    const { statusCode, body } = await undici.request(origin.url, { dispatcher: newAgent(t) });
    t.equal(statusCode, 200);
    t.match(await body.json(), { httpVersion, alpnProtocol: protocol, servername: 'localhost' });
  });

  t.test('fetch', async (t) => {
    const response = await undici.fetch(origin.url, { dispatcher: newAgent(t) });
    t.equal(response.status, 200);
    t.match(await response.json(), { httpVersion });
  });

  t.test('stream', async (t) => {
    const chunks: Buffer[] = [];
    await undici.stream(
      origin.url,
      { dispatcher: newAgent(t), method: 'GET' },
      ({ statusCode }) => {
        t.equal(statusCode, 200);
        return new Writable({
          write(chunk: Buffer, _encoding, done) {
            chunks.push(chunk);
            done();
          },
        });
      },
    );
    t.match(JSON.parse(Buffer.concat(chunks).toString()), { httpVersion });
  });

  t.test('pipeline', async (t) => {
    const echo = undici.pipeline(
      `${origin.url}/echo`,
      { dispatcher: newAgent(t), method: 'POST' },
      ({ body }) => body.pipe(new PassThrough()),
    );
    const [received] = await Promise.all([digestOf(echo), pipeline(pattern(1_000_003), echo)]);
    t.strictSame(received, { length: 1_000_003, sha256: patternDigest(1_000_003) });
  });

  t.test('a large body down', async (t) => {
    const dispatcher = newAgent(t);
    const { body } = await undici.request(`${origin.url}/pattern?length=${BIG}`, { dispatcher });
    t.strictSame(await digestOf(body), { length: BIG, sha256: bigDigest });
  });

  t.test('a large body down, read slowly', async (t) => {
    const length = 2_000_003;
    const dispatcher = newAgent(t);
    const { body } = await undici.request(`${origin.url}/pattern?length=${length}`, { dispatcher });
    const hash = createHash('sha256');
    for await (const chunk of body) {
      hash.update(chunk as Buffer);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.equal(hash.digest('hex'), patternDigest(length));
  });

  t.test('a large body up', async (t) => {
    const { body } = await undici.request(`${origin.url}/digest`, {
      dispatcher: newAgent(t),
      method: 'POST',
      body: pattern(BIG),
    });
    t.strictSame(await body.json(), { length: BIG, sha256: bigDigest });
  });

  t.test('a large body up from fetch', async (t) => {
    const response = await undici.fetch(`${origin.url}/digest`, {
      dispatcher: newAgent(t),
      method: 'POST',
      body: pattern(1_000_003),
      duplex: 'half',
    });
    t.strictSame(await response.json(), { length: 1_000_003, sha256: patternDigest(1_000_003) });
  });

  t.test('large bodies both ways at once', async (t) => {
    const { body } = await undici.request(`${origin.url}/echo`, {
      dispatcher: newAgent(t),
      method: 'POST',
      body: pattern(BIG),
    });
    t.strictSame(await digestOf(body), { length: BIG, sha256: bigDigest });
  });

  t.test('a response without a body', async (t) => {
    const dispatcher = newAgent(t);
    const { statusCode, body } = await undici.request(`${origin.url}/none`, { dispatcher });
    t.equal(statusCode, 404);
    t.equal(await body.text(), '');
  });

  t.test('one connection serves many requests', async (t) => {
    const dispatcher = newAgent(t, { connections: 1 });
    const before = origin.connections.length;
    const ports = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const { body } = await undici.request(origin.url, { dispatcher });
      ports.add(((await body.json()) as { clientPort: number }).clientPort);
    }
    t.equal(ports.size, 1);
    t.equal(origin.connections.length - before, 1);
  });

  t.test('many requests at once', async (t) => {
    const dispatcher = newAgent(t, { connections: 4, pipelining: 1 });
    const length = 100_003;
    const sha256 = patternDigest(length);
    const digests = Array.from({ length: 40 }, async () => {
      const { body } = await undici.request(`${origin.url}/pattern?length=${length}`, {
        dispatcher,
      });
      return digestOf(body);
    });
    for (const digest of await Promise.all(digests)) {
      t.strictSame(digest, { length, sha256 });
    }
  });

  t.test('an abort before the answer leaves the agent usable', async (t) => {
    const dispatcher = newAgent(t);
    const signal = AbortSignal.timeout(100);
    const silent = undici.request(`${origin.url}/silence`, { dispatcher, signal });
    await t.rejects(silent, { name: 'TimeoutError' });
    const { statusCode, body } = await undici.request(origin.url, { dispatcher });
    await body.dump();
    t.equal(statusCode, 200);
  });

  t.test('an abort in the middle of a body leaves the agent usable', async (t) => {
    const dispatcher = newAgent(t);
    const abort = new AbortController();
    const { body } = await undici.request(`${origin.url}/pattern?length=${BIG}`, {
      dispatcher,
      signal: abort.signal,
    });
    body.once('data', () => abort.abort());
    await t.rejects(digestOf(body), { name: 'AbortError' });
    const next = await undici.request(origin.url, { dispatcher });
    await next.body.dump();
    t.equal(next.statusCode, 200);
  });

  t.test('an abort in the middle of an upload leaves the agent usable', async (t) => {
    const dispatcher = newAgent(t);
    const abort = new AbortController();
    const body = pattern(BIG);
    let sent = 0;
    body.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      if (sent > BIG / 2) {
        abort.abort();
      }
    });
    const upload = undici.request(`${origin.url}/digest`, {
      dispatcher,
      method: 'POST',
      body,
      signal: abort.signal,
    });
    await t.rejects(upload, { name: 'AbortError' });
    const next = await undici.request(origin.url, { dispatcher });
    await next.body.dump();
    t.equal(next.statusCode, 200);
  });

  t.test('closing the agent lets the request in flight finish', async (t) => {
    const dispatcher = newAgent(t);
    const { body } = await undici.request(`${origin.url}/pattern?length=${BIG}`, { dispatcher });
    const closed = dispatcher.close();
    t.strictSame(await digestOf(body), { length: BIG, sha256: bigDigest });
    await closed;
  });
}

async function digestOf(body: Readable): Promise<{ length: number; sha256: string }> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  return { length, sha256: hash.digest('hex') };
}
