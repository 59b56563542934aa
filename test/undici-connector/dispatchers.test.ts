/** What undici builds on its connections, over ours. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { root, selfSigned } from '../helpers/pki.js';
import { eventually } from '../helpers/wait.js';
import { type Origin, type OriginOptions, type Protocol, startOrigin } from './origin.js';
import { type UndiciVersion, undicis } from './undicis.js';

for (const version of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    const { skip } = version;
    t.test(`${version.name} over ${protocol}`, { skip }, (t) => dispatchers(t, version, protocol));
  }
}

async function dispatchers(t: Test, version: UndiciVersion, protocol: Protocol): Promise<void> {
  const undici = version.undici!;
  const { cert: ca } = await root();
  const allowH2 = protocol === 'h2';
  const connect = version.connector!.createConnector({ ca, allowH2 });
  const options = { allowH2, connect };
  const httpVersion = allowH2 ? '2.0' : '1.1';

  t.test('a Pool keeps its number of connections', async (t) => {
    const origin = await start(t, { protocol });
    const pool = new undici.Pool(origin.url, { ...options, connections: 3 });
    t.teardown(() => pool.destroy());
    const answers = Array.from({ length: 30 }, async () => {
      const { body } = await pool.request({ method: 'GET', path: '/' });
      return body.json();
    });
    for (const answer of await Promise.all(answers)) t.match(answer, { httpVersion });
    t.ok(origin.connections.length <= 3);
  });

  t.test('a BalancedPool spreads over its origins, and avoids one that is gone', async (t) => {
    const origins = [await start(t, { protocol }), await start(t, { protocol })];
    const urls = origins.map(({ url }) => url);
    const pool = new undici.BalancedPool(urls, options);
    t.teardown(() => pool.destroy());
    const visit = async () => {
      const { body } = await pool.request({ method: 'GET', path: '/' });
      t.match(await body.json(), { httpVersion });
    };
    for (let i = 0; i < 6; i++) await visit();
    for (const { connections } of origins) t.equal(connections.length, 1);
    await origins[0]!.close();
    let answered = 0;
    for (let i = 0; i < 12; i++) {
      await visit().then(
        () => answered++,
        () => {},
      );
    }
    t.ok(answered >= 6, `${answered} of 12`);
  });

  t.test('a RetryAgent tries again', async (t) => {
    const origin = await start(t, { protocol });
    const [answer] = origin.server.listeners('request') as [RequestListener];
    let failures = 2;
    origin.server.removeAllListeners('request');
    origin.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // undici counts no lost connection of h2 among what may be tried again.
      if (failures-- <= 0) answer(request, response);
      else if (allowH2) response.writeHead(503).end();
      else request.socket.destroy();
    });
    const agent = new undici.RetryAgent(new undici.Agent(options), { minTimeout: 10 });
    t.teardown(() => agent.destroy());
    const { statusCode, body } = await undici.request(origin.url, { dispatcher: agent });
    t.equal(statusCode, 200);
    t.match(await body.json(), { httpVersion });
    t.ok(failures < 0);
  });

  t.test('a RetryAgent does not try a wrong certificate again', async (t) => {
    const { key, cert } = await selfSigned();
    const origin = await start(t, { protocol, tls: { key, cert } });
    let attempts = 0;
    origin.server.on('tlsClientError', () => attempts++);
    const agent = new undici.RetryAgent(new undici.Agent(options), { minTimeout: 10 });
    t.teardown(() => agent.destroy());
    await t.rejects(undici.request(origin.url, { dispatcher: agent }), {
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    await eventually('the server is told', () => attempts > 0);
    await sleep(50);
    t.equal(attempts, 1);
  });

  t.test('interceptors', async (t) => {
    const origin = await start(t, { protocol });
    const { redirect, retry, dns, responseError } = undici.interceptors;
    const agent = new undici.Agent(options).compose(
      redirect({ maxRedirections: 2 }),
      retry({ minTimeout: 10 }),
      dns({ affinity: 4 }),
      responseError(),
    );
    t.teardown(() => agent.destroy());
    const { body } = await undici.request(origin.url, { dispatcher: agent });
    // The name that was looked up stays the name that is proved.
    t.match(await body.json(), { httpVersion, servername: 'localhost' });
    const missing = undici.request(`${origin.url}/missing`, { dispatcher: agent });
    await t.rejects(missing, { code: 'UND_ERR_RESPONSE', statusCode: 404 });
  });

  t.test('a MockAgent needs no connection', async (t) => {
    const mock = new undici.MockAgent({ agent: new undici.Agent({ connect }) });
    t.teardown(() => mock.close());
    mock.disableNetConnect();
    mock.get('https://mocked.test').intercept({ path: '/' }).reply(200, 'mocked');
    const { body } = await undici.request('https://mocked.test/', { dispatcher: mock });
    t.equal(await body.text(), 'mocked');
  });

  t.test('an EventSource', async (t) => {
    const origin = await start(t, { protocol });
    origin.server.removeAllListeners('request');
    origin.server.on('request', (_: unknown, response: ServerResponse) => {
      response.setHeader('content-type', 'text/event-stream');
      response.write('data: first\n\n');
      setTimeout(() => response.write('data: second\n\n'), 20);
    });
    const dispatcher = new undici.Agent(options);
    t.teardown(() => dispatcher.destroy());
    // undici 8 has the option where 7 has it too.
    const source = new undici.EventSource(origin.url, { dispatcher });
    t.teardown(() => source.close());
    const data: unknown[] = [];
    source.addEventListener('message', (event) => data.push(event.data));
    while (data.length < 2) await once(source as unknown as EventTarget, 'message');
    t.strictSame(data, ['first', 'second']);
  });

  t.test('fetch with a stream up, and an abort', async (t) => {
    const origin = await start(t, { protocol });
    const dispatcher = new undici.Agent(options);
    t.teardown(() => dispatcher.destroy());
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let i = 0; i < 5; i++) {
          controller.enqueue(Buffer.alloc(20_000, i));
          await sleep(2);
        }
        controller.close();
      },
    });
    const digest = await undici.fetch(`${origin.url}/digest`, {
      dispatcher,
      method: 'POST',
      body,
      duplex: 'half',
    });
    t.match(await digest.json(), { length: 100_000 });

    const controller = new AbortController();
    const endless = await undici.fetch(`${origin.url}/pattern?length=1000000000`, {
      dispatcher,
      signal: controller.signal,
    });
    const reader = endless.body!.getReader();
    await reader.read();
    controller.abort();
    await t.rejects(
      async () => {
        while (!(await reader.read()).done);
      },
      { name: 'AbortError' },
    );
    const { status } = await undici.fetch(origin.url, { dispatcher });
    t.equal(status, 200);
  });
}

async function start(t: Test, options: OriginOptions): Promise<Origin> {
  const origin = await startOrigin(options);
  t.teardown(() => origin.close().catch(() => {}));
  return origin;
}
