/** createProxyAgent: TLS through proxies, to proxies, and what proxies do wrong. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import type { Dispatcher } from 'undici';
import * as pki from '../helpers/pki.js';
import { rejection } from '../helpers/wait.js';
import { type Origin, type OriginOptions, startOrigin } from './origin.js';
import { startProxy } from './proxy.js';
import { type UndiciVersion, undicis } from './undicis.js';

for (const version of undicis) {
  t.test(version.name, { skip: version.skip }, (t) => proxyAgent(t, version));
}

async function proxyAgent(t: Test, version: UndiciVersion): Promise<void> {
  const { errors, fetch, request } = version.undici!;
  const { createProxyAgent } = version.connector!;
  const { cert: ca } = await pki.root();
  const trusting = { requestTls: { ca }, proxyTls: { ca } };

  const agent = (t: Test, ...args: Parameters<typeof createProxyAgent>): Dispatcher => {
    const dispatcher = createProxyAgent(...args);
    t.teardown(() => dispatcher.destroy());
    return dispatcher;
  };

  for (const [kind, options] of [
    ['an http proxy', {}],
    ['an https proxy: TLS in TLS', { tls: true }],
    ['an https proxy that speaks h2: TLS in a stream of h2 in TLS', { tls: true, http2: true }],
  ] as const) {
    t.test(`through ${kind}`, async (t) => {
      const origin = await start(t, { protocol: 'h2' });
      const proxy = await startProxy(t, options);
      const withH2 = { requestTls: { ca, allowH2: true }, proxyTls: { ca, allowH2: true } };
      for (const [httpVersion, tls] of [
        ['1.1', { ...trusting, requestTls: { ca, allowH2: false } }],
        ['2.0', withH2],
      ] as const) {
        const dispatcher = agent(t, { uri: proxy.url, ...tls });
        const { body } = await request(origin.url, { dispatcher });
        t.match(await body.json(), { httpVersion });
        const big = await fetch(`${origin.url}/pattern?length=300000`, { dispatcher });
        t.equal((await big.arrayBuffer()).byteLength, 300_000);
        const sent = await fetch(`${origin.url}/digest`, {
          dispatcher,
          method: 'POST',
          body: Buffer.alloc(300_000),
        });
        t.match(await sent.json(), { length: 300_000 });
      }
      for (const { authority } of proxy.tunnels) t.equal(authority, `localhost:${origin.port}`);
      t.equal(proxy.forwarded.length, 0);
    });
  }

  t.test('the proxy sees neither name nor certificate that is the origin’s', async (t) => {
    const origin = await start(t);
    const proxy = await startProxy(t, { tls: true });
    const dispatcher = agent(t, {
      uri: proxy.url,
      requestTls: { ca, servername: 'example.test' },
      proxyTls: { ca, servername: 'name.wild.example.test' },
    });
    const names: (string | false)[] = [];
    proxy.server.on('secureConnection', ({ servername }: { servername: string | false }) =>
      names.push(servername),
    );
    await (await request(origin.url, { dispatcher })).body.dump();
    t.strictSame(names, ['name.wild.example.test']);
    t.equal(origin.connections[0]?.servername, 'example.test');
  });

  t.test('a client certificate for the origin, another for the proxy', async (t) => {
    const { key, chain: cert } = await pki.server();
    const { cert: clientCa } = await pki.clientRoot();
    const mutual = { key, cert, ca: clientCa, requestCert: true };
    const origin = await start(t, { tls: mutual });
    const proxy = await startProxy(t, { tls: mutual });
    const identity = await pki.client();
    const known = { ca, key: identity.key, cert: identity.cert };

    const dispatcher = agent(t, { uri: proxy.url, requestTls: known, proxyTls: known });
    const { body } = await request(origin.url, { dispatcher });
    t.match(await body.json(), { client: 'Test Client' });

    const unknown = agent(t, { uri: proxy.url, requestTls: known, proxyTls: { ca } });
    const failed = request(origin.url, { dispatcher: unknown });
    await t.rejects(failed, { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  });

  for (const [kind, given, authorization] of [
    ['Basic, in the address', { userinfo: 'user:p%40ss@' }, 'Basic dXNlcjpwQHNz'],
    ['Bearer, as token', { token: 'Bearer abc.def' }, 'Bearer abc.def'],
  ] as const) {
    t.test(`credentials: ${kind}`, async (t) => {
      const { userinfo = '', ...rest } = given as { userinfo?: string; token?: string };
      const origin = await start(t);
      const proxy = await startProxy(t, { authorization });
      const uri = proxy.url.replace('://', `://${userinfo}`);
      const dispatcher = agent(t, { uri, ...rest, ...trusting });
      const { statusCode, body } = await request(origin.url, { dispatcher });
      await body.dump();
      t.equal(statusCode, 200);
      t.equal(proxy.tunnels[0]?.headers['proxy-authorization'], authorization);

      const wrong = agent(t, { uri: proxy.url, token: 'Basic d3Jvbmc6d3Jvbmc=', ...trusting });
      const refused = request(origin.url, { dispatcher: wrong });
      const error = await rejection(refused);
      t.ok(error instanceof errors.RequestAbortedError);
      t.match(error, { code: 'UND_ERR_ABORTED', message: /407/ });
    });
  }

  t.test('credentials for the proxy among the headers for the origin are refused', async (t) => {
    const dispatcher = agent(t, { uri: 'http://localhost:1' });
    const headers = { 'Proxy-Authorization': 'Basic d3Jvbmc6d3Jvbmc=' };
    const refused = request('https://localhost/', { dispatcher, headers });
    t.ok((await rejection(refused)) instanceof errors.InvalidArgumentError);
  });

  t.test('an origin with a wrong certificate', async (t) => {
    const { key, cert } = await pki.selfSigned();
    const origin = await start(t, { tls: { key, cert } });
    origin.server.on('tlsClientError', () => {});
    const proxy = await startProxy(t);
    const dispatcher = agent(t, { uri: proxy.url, ...trusting });
    const failed = request(origin.url, { dispatcher });
    await t.rejects(failed, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  t.test('an origin with a certificate of another name', async (t) => {
    const { key, chain: cert } = await pki.serverFor(['dns:other.example.test']);
    const origin = await start(t, { tls: { key, cert } });
    origin.server.on('tlsClientError', () => {});
    const proxy = await startProxy(t);
    const dispatcher = agent(t, { uri: proxy.url, ...trusting });
    const failed = request(origin.url, { dispatcher });
    await t.rejects(failed, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: 'localhost' });
  });

  t.test('a proxy with a wrong certificate', async (t) => {
    const { key, cert } = await pki.selfSigned();
    const proxy = await startProxy(t, { tls: { key, cert } });
    proxy.server.on('tlsClientError', () => {});
    const dispatcher = agent(t, { uri: proxy.url, ...trusting });
    const failed = request('https://localhost/', { dispatcher });
    await t.rejects(failed, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  t.test('a proxy with a certificate of another name', async (t) => {
    const { key, chain: cert } = await pki.serverFor(['dns:other.example.test']);
    const proxy = await startProxy(t, { tls: { key, cert } });
    proxy.server.on('tlsClientError', () => {});
    const dispatcher = agent(t, { uri: proxy.url, ...trusting });
    const failed = request('https://localhost/', { dispatcher });
    const error = await rejection(failed);
    t.ok(error instanceof errors.SecureProxyConnectionError);
    t.match(error, { code: 'UND_ERR_PRX_TLS', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
  });

  t.test('a proxy that is not there', async (t) => {
    const proxy = await startProxy(t);
    proxy.server.close();
    const dispatcher = agent(t, { uri: proxy.url, ...trusting });
    await t.rejects(request('https://localhost/', { dispatcher }), { code: 'ECONNREFUSED' });
  });

  t.test('a proxy that dies in the handshake', async (t) => {
    const dying = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.destroy());
    });
    dying.listen(0, '127.0.0.1');
    await once(dying, 'listening');
    t.teardown(() => dying.close());
    const { port } = dying.address() as { port: number };
    const dispatcher = agent(t, { uri: `https://localhost:${port}`, ...trusting });
    await t.rejects(request('https://localhost/', { dispatcher }), { code: 'ECONNRESET' });
  });

  for (const tls of [undefined, true] as const) {
    const kind = tls ? 'an https proxy' : 'an http proxy';
    t.test(`${kind} that dies instead of answering`, async (t) => {
      const proxy = await startProxy(t, { ...(tls && { tls }), onConnect: (s) => s.destroy() });
      const dispatcher = agent(t, { uri: proxy.url, ...trusting });
      const failed = request('https://localhost/', { dispatcher });
      await t.rejects(failed, { name: 'ProxyConnectionError', code: 'UND_ERR_PRX_CONN' });
      t.equal(proxy.tunnels.length, 1);
    });

    t.test(`${kind} that dies in the handshake of the origin`, async (t) => {
      const onConnect = (socket: Duplex) => {
        socket.write('HTTP/1.1 200 Open\r\n\r\n');
        socket.once('data', () => socket.destroy());
      };
      const proxy = await startProxy(t, { ...(tls && { tls }), onConnect });
      const dispatcher = agent(t, { uri: proxy.url, ...trusting });
      await t.rejects(request('https://localhost/', { dispatcher }), { code: 'ECONNRESET' });
    });

    t.test(`${kind} that never answers`, async (t) => {
      const proxy = await startProxy(t, { ...(tls && { tls }), onConnect: () => {} });
      const dispatcher = agent(t, {
        uri: proxy.url,
        proxyTls: { ca },
        requestTls: { timeout: 200 },
      });
      const failed = request('https://localhost/', { dispatcher });
      t.ok((await rejection(failed)) instanceof errors.ConnectTimeoutError);
    });
  }

  t.test('what comes with the answer to CONNECT belongs to the tunnel', async (t) => {
    const origin = await start(t);
    // The answer and the first bytes of the origin's handshake in one segment.
    const proxy = await startProxy(t, {
      onConnect: (socket) => {
        socket.write('HTTP/1.1 200 Open\r\n\r\n');
        const upstream = connect(origin.port, '127.0.0.1');
        socket.pipe(upstream).pipe(socket);
      },
    });
    const dispatcher = agent(t, { uri: proxy.url, ...trusting });
    const { body } = await request(origin.url, { dispatcher });
    t.match(await body.json(), { httpVersion: '1.1' });
  });

  t.test('sessions are resumed through the proxy, and not with another identity', async (t) => {
    const origin = await start(t);
    const proxy = await startProxy(t);
    const visit = async (dispatcher: Dispatcher) => {
      const headers = { connection: 'close' };
      await (await request(origin.url, { dispatcher, headers })).body.dump();
    };
    const first = agent(t, { uri: proxy.url, ...trusting });
    await visit(first);
    await visit(first);
    const { key, cert } = await pki.client();
    await visit(agent(t, { uri: proxy.url, requestTls: { ca, key, cert } }));
    t.strictSame(
      origin.connections.map(({ resumed }) => resumed),
      [false, true, false],
    );
  });

  t.test('http: origins', async (t) => {
    const proxy = await startProxy(t);
    const secureProxy = await startProxy(t, { tls: true });

    for (const { url: uri } of [proxy, secureProxy]) {
      const dispatcher = agent(t, { uri, ...trusting });
      const refused = request('http://localhost/', { dispatcher });
      await t.rejects(refused, { code: 'ERR_AWS_LC_CLEARTEXT' });
    }
    t.strictSame([proxy.tunnels, proxy.forwarded], [[], []], 'never reach the proxy');

    for (const { url: uri, forwarded } of [proxy, secureProxy]) {
      // undici 7 forwards through http proxies only.
      if (uri.startsWith('https') && version.packageName === 'undici') continue;
      const allowed = { allowCleartext: true, proxyTunnel: false };
      const dispatcher = agent(t, { uri, ...trusting, ...allowed });
      const { body } = await request('http://origin.test/page', { dispatcher });
      t.equal(await body.text(), 'forwarded', 'unless the user allows it');
      t.strictSame(forwarded, ['http://origin.test/page']);
    }
  });

  const skip = version.packageName === 'undici' && 'undici 7 forwards through http proxies only';
  t.test('a wrong name of a proxy that forwards', { skip }, async (t) => {
    const { key, chain: cert } = await pki.serverFor(['dns:other.example.test']);
    const proxy = await startProxy(t, { tls: { key, cert } });
    proxy.server.on('tlsClientError', () => {});
    const dispatcher = agent(t, { uri: proxy.url, allowCleartext: true, ...trusting });
    const failed = request('http://localhost/', { dispatcher });
    t.ok((await rejection(failed)) instanceof errors.SecureProxyConnectionError);
  });

  t.test('the user’s own factories make clients with our connections', async (t) => {
    const { Client } = version.undici!;
    const origin = await start(t);
    const proxy = await startProxy(t, { tls: true });
    const made: string[] = [];
    const dispatcher = agent(t, {
      uri: proxy.url,
      ...trusting,
      clientFactory: (url, options) => {
        made.push(`proxy ${url.origin}`);
        return new Client(url, options);
      },
      factory: (url, options) => {
        made.push(`origin ${String(url)}`);
        return new Client(url, options);
      },
    });
    const { statusCode, body } = await request(origin.url, { dispatcher });
    await body.dump();
    t.equal(statusCode, 200);
    t.strictSame(made, [`proxy ${proxy.url}`, `origin ${origin.url}`]);
  });

  t.test('what cannot work is refused at once', async (t) => {
    const { key } = await pki.client();
    const refused = (options: object) => () => createProxyAgent(options);
    t.throws(refused({ uri: 'socks5://localhost:1' }), errors.InvalidArgumentError);
    t.throws(refused({ httpsProxy: 'socks://localhost:1' }), errors.InvalidArgumentError);
    t.throws(refused({ uri: 'not an address' }), { code: 'ERR_INVALID_URL' });
    t.throws(refused({ uri: 'http://localhost', connect: {} }), errors.InvalidArgumentError);
    t.throws(
      refused({ uri: 'http://localhost', auth: 'a', token: 'b' }),
      errors.InvalidArgumentError,
    );
    for (const part of ['requestTls', 'proxyTls']) {
      const options = { uri: 'http://localhost', [part]: { key, cert: ca } };
      t.throws(refused(options), { code: /^ERR_AWS_LC_CONFIG_/ });
    }
  });
}

async function start(t: Test, options?: OriginOptions): Promise<Origin> {
  const origin = await startOrigin(options);
  t.teardown(() => origin.close());
  return origin;
}
