import t, { type Test } from 'tap';
import dns from 'node:dns';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import { rmSync } from 'node:fs';
import { socketPath } from '../helpers/transports.js';
import { eventually, rejection, within } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { h1, h2, h2Session, rawTcp, rawTls, untilClosed } from './clients.js';

const hasIPv6 = Object.values(os.networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

/** `localhost` as a machine with these addresses resolves it, for this process and test only. */
function localhostIs(t: Test, ...addresses: string[]): void {
  const { lookup } = dns;
  const found = addresses.map((address) => ({ address, family: net.isIP(address) }));
  dns.lookup = ((
    name: string,
    options: dns.LookupOptions,
    callback: (...args: unknown[]) => void,
  ) => {
    if (name !== 'localhost') return lookup(name, options, callback as never);
    process.nextTick(() =>
      options.all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family),
    );
  }) as typeof dns.lookup;
  t.teardown(() => (dns.lookup = lookup));
}

const pairs: [string, string, string | false][] = [
  ['127.0.0.1', '::1', hasIPv6 ? false : 'this machine has no ::1'],
  ['::1', '127.0.0.1', hasIPv6 ? false : 'this machine has no ::1'],
  ['127.0.0.1', '127.0.0.2', false],
];

for (const [first, second, skip] of pairs) {
  t.test(`localhost as ${first} and ${second}`, { skip }, async (t) => {
    eachForm(t, 'both addresses speak TLS and only TLS', async (t, form) => {
      localhostIs(t, first, second);
      const app = await makeApp(t, { form });
      app.get('/', async ({ protocol, tls }) => [protocol, tls?.negotiated.alpn]);
      const url = await app.listen({ port: 0 });
      const { port } = app.server.address() as AddressInfo;
      const show = (address: string): string => (net.isIPv6(address) ? `[${address}]` : address);
      t.equal(url, `https://${show(first)}:${port}`);
      t.same(
        app.addresses().map((address) => (address as AddressInfo).address),
        [second, first],
      );
      t.equal(app.listeningOrigin, url);

      for (const host of [first, second]) {
        t.same(JSON.parse((await h1(port, '/', { host, servername: 'localhost' })).body), [
          'https',
          null,
        ]);
        const session = await h2Session(t, port, { lookup: undefined, host });
        t.same(JSON.parse((await h2(session)).body), ['https', 'h2']);

        const plain = await rawTcp(t, port, host);
        plain.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        t.notMatch((await untilClosed(plain)).toString('latin1'), /HTTP/);
      }
      await within('close()', app.close(), 3000);
      for (const host of [first, second]) await t.rejects(connectTcp(port, host));
    });
  });
}

t.test('close() waits for a request on the second address', async (t) => {
  localhostIs(t, '127.0.0.1', '127.0.0.2');
  const app = await makeApp(t);
  let finish!: (body: string) => void;
  app.get('/', () => new Promise((resolve) => (finish = resolve)));
  await app.listen({ port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const answer = h1(port, '/', { host: '127.0.0.2', servername: 'localhost' });
  await eventually('the request', () => Boolean(finish));
  const idle = await rawTls(t, port, { host: '127.0.0.2' });
  await eventually('two connections', () => app.tls.stats().connections === 2);

  let closed = false;
  const closing = app.close().then(() => (closed = true));
  await untilClosed(idle);
  t.equal(closed, false);
  finish('finished');
  t.equal((await answer).body, 'finished');
  await within('close()', closing, 3000);
});

t.test('the listen options are given back as they were', async (t) => {
  localhostIs(t, '127.0.0.1', '127.0.0.2');
  const app = await makeApp(t);
  const options = { host: 'localhost', port: 0 };
  await app.listen(options);
  await eventually('the host to be back', () => options.host === 'localhost');
});

t.test('an address that cannot be had is no reason not to serve the other', async (t) => {
  localhostIs(t, '127.0.0.1', '192.0.2.1');
  const lines: { level: number; msg: string; address?: string }[] = [];
  const app = await makeApp(t, {
    fastify: {
      logger: { stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } },
    },
  });
  app.get('/', async () => 'ok');
  await app.listen({ port: 0 });
  const { port } = app.server.address() as AddressInfo;
  t.match(await h1(port), { body: 'ok' });
  await eventually('the warning', () => lines.some(({ level }) => level === 40));
  t.match(
    lines.find(({ level }) => level === 40),
    { address: '192.0.2.1' },
  );
  t.equal(app.addresses().length, 1);
});

t.test('a port in use rejects listen(), and nothing is left listening', async (t) => {
  localhostIs(t, '127.0.0.1', '127.0.0.2');
  const other = await makeApp(t);
  const port = await listen(other);
  const app = await makeApp(t);
  t.match(await rejection(app.listen({ port })), { code: 'EADDRINUSE' });
  await t.rejects(connectTcp(port, '127.0.0.2'));
});

eachForm(t, 'the log says https://, by the resolver of the caller', async (t, form) => {
  localhostIs(t, '127.0.0.1', '127.0.0.2');
  const lines: { msg: string }[] = [];
  const app = await makeApp(t, {
    form,
    fastify: {
      logger: { stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } },
    },
  });
  await app.listen({ port: 0, listenTextResolver: (address) => `here: ${address}` });
  const { port } = app.server.address() as AddressInfo;
  t.same(lines.map(({ msg }) => msg).sort(), [
    `here: https://127.0.0.1:${port}`,
    `here: https://127.0.0.2:${port}`,
  ]);
});

t.test('0.0.0.0 and :: speak TLS', async (t) => {
  for (const host of ['0.0.0.0', ...(hasIPv6 ? ['::'] : [])]) {
    const app = await makeApp(t);
    app.get('/', async ({ protocol }) => protocol);
    const port = await listen(app, host);
    t.equal((await h1(port)).body, 'https', host);
  }
});

eachForm(t, 'a Unix socket speaks TLS', async (t, form) => {
  const path = socketPath();
  t.teardown(() => rmSync(path, { force: true }));
  const app = await makeApp(t, { form });
  app.get('/', async ({ protocol, tls }) => [protocol, tls?.negotiated.protocol]);
  await app.listen({ path });
  const { body } = await h1(0, '/', { socketPath: path, host: 'localhost' });
  t.same(JSON.parse(body), ['https', 'TLSv1.3']);
});

t.test('listen() with a callback and a signal', async (t) => {
  const app = await makeApp(t);
  app.get('/', async () => 'ok');
  const abort = new AbortController();
  const address = await new Promise<string>((resolve, reject) =>
    app.listen({ port: 0, signal: abort.signal }, (error, address) =>
      error ? reject(error) : resolve(address),
    ),
  );
  t.match(address, /^https:/);
  const { port } = app.server.address() as AddressInfo;
  t.match(await h1(port), { body: 'ok' });
  abort.abort();
  await eventually('the server to stop', () => !app.server.listening);
});

async function connectTcp(port: number, host: string): Promise<void> {
  const socket = net.connect({ port, host });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('connect', () => resolve());
      socket.on('error', reject);
    });
  } finally {
    socket.destroy();
  }
}
