/** createProxyAgent without an address: the environment's proxies, as undici's EnvHttpProxyAgent. */
import t, { type Test } from 'tap';
import { root } from '../helpers/pki.js';
import { startOrigin } from './origin.js';
import { startProxy } from './proxy.js';
import { type UndiciVersion, undicis } from './undicis.js';

const VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [
  name,
  name.toUpperCase(),
]);
for (const name of VARIABLES) delete process.env[name];

for (const version of undicis) {
  t.test(version.name, { skip: version.skip }, (t) => environment(t, version));
}

async function environment(t: Test, version: UndiciVersion): Promise<void> {
  const { createProxyAgent } = version.connector!;
  const { EnvHttpProxyAgent, request } = version.undici!;
  const { cert: ca } = await root();
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const proxy = await startProxy(t);
  const { port } = origin;

  /** Whether a request went through the proxy, with `env` set. */
  const isProxied = async (env: Record<string, string>, url = origin.url): Promise<boolean> => {
    Object.assign(process.env, env);
    const dispatchers = [
      createProxyAgent({ requestTls: { ca } }),
      new EnvHttpProxyAgent({ requestTls: { ca }, connect: { ca } }),
    ];
    try {
      const outcomes: boolean[] = [];
      for (const dispatcher of dispatchers) {
        const before = proxy.tunnels.length;
        const { statusCode, body } = await request(url, { dispatcher });
        await body.dump();
        t.equal(statusCode, 200);
        outcomes.push(proxy.tunnels.length > before);
      }
      t.equal(outcomes[0], outcomes[1], 'as undici decides');
      return outcomes[0]!;
    } finally {
      for (const name of VARIABLES) delete process.env[name];
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
    }
  };

  t.test('which proxy', async (t) => {
    t.equal(await isProxied({}), false);
    t.equal(await isProxied({ HTTPS_PROXY: proxy.url }), true);
    t.equal(await isProxied({ https_proxy: proxy.url }), true);
    t.equal(await isProxied({ HTTP_PROXY: proxy.url }), true, 'where there is none for https');
    t.equal(await isProxied({ http_proxy: proxy.url }), true);
    const nowhere = 'http://localhost:1';
    t.equal(await isProxied({ https_proxy: proxy.url, HTTPS_PROXY: nowhere }), true);
    t.equal(await isProxied({ HTTPS_PROXY: proxy.url, HTTP_PROXY: nowhere }), true);
    t.equal(await isProxied({ HTTPS_PROXY: '' }), false);
  });

  t.test('what goes past it', async (t) => {
    const HTTPS_PROXY = proxy.url;
    for (const exceptions of [
      'localhost',
      'LOCALHOST',
      '*',
      `localhost:${port}`,
      'example.test,localhost',
      'example.test localhost',
    ]) {
      t.equal(await isProxied({ HTTPS_PROXY, NO_PROXY: exceptions }), false, exceptions);
      t.equal(await isProxied({ HTTPS_PROXY, no_proxy: exceptions }), false, exceptions);
    }
    for (const exceptions of ['', 'example.test', 'localhost:1', 'host', '127.0.0.1']) {
      t.equal(
        await isProxied({ HTTPS_PROXY, NO_PROXY: exceptions }),
        true,
        exceptions || 'nothing',
      );
    }
    const address = `https://127.0.0.1:${port}`;
    t.equal(await isProxied({ HTTPS_PROXY, NO_PROXY: '127.0.0.1' }, address), false);
    t.equal(await isProxied({ HTTPS_PROXY, NO_PROXY: '127.0.0.0/8' }, address), true, 'no CIDR');
  });

  t.test('what goes past it has our TLS too, and no plaintext', async (t) => {
    const dispatcher = createProxyAgent({ httpsProxy: proxy.url, noProxy: '*' });
    t.teardown(() => dispatcher.destroy());
    const untrusted = request(origin.url, { dispatcher });
    await t.rejects(untrusted, { code: /^UNABLE_TO_/, side: 'client' });
    const plain = request('http://localhost/', { dispatcher });
    await t.rejects(plain, { code: 'ERR_AWS_LC_CLEARTEXT' });
  });

  t.test('a proxy of a kind that is not offered', async (t) => {
    process.env['HTTPS_PROXY'] = 'socks5://localhost:1';
    t.teardown(() => delete process.env['HTTPS_PROXY']);
    t.throws(() => createProxyAgent(), { code: 'UND_ERR_INVALID_ARG', message: /socks5/ });
  });
}
