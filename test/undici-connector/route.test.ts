/** Where a connection goes, under which name, and what is told when it does not get there. */
import { once } from 'node:events';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import * as http from 'node:http';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import type { buildConnector } from 'undici';
import { root } from '../helpers/pki.js';
import { callFor, connect } from './connect.js';
import { type Origin, type OriginOptions, startOrigin } from './origin.js';
import { undicis } from './undicis.js';

for (const { name, undici, skip } of undicis) {
  t.test(name, { skip }, async (t) => {
    const { cert: ca } = await root();
    const { Agent, Client, request } = undici!;

    const ask = async (
      t: tap.Test,
      url: string,
      connect: buildConnector.connector,
      headers = {},
    ) => {
      const dispatcher = new Agent({ connect });
      t.teardown(() => dispatcher.destroy());
      const { body } = await request(url, { dispatcher, headers });
      return body.json();
    };

    t.test('a Unix socket of the connector', async (t) => {
      const { path } = await startOnUnixSocket(t);
      for (const options of [{ socketPath: path }, { path }]) {
        const connect = createConnector({ ca, ...options });
        t.match(await ask(t, 'https://localhost/', connect), { servername: 'localhost' });
      }
    });

    t.test('a Unix socket of the client', async (t) => {
      const { path } = await startOnUnixSocket(t);
      const client = new Client('https://localhost', {
        socketPath: path,
        connect: createConnector({ ca }),
      });
      t.teardown(() => client.destroy());
      const { body } = await client.request({ path: '/', method: 'GET' });
      t.match(await body.json(), { servername: 'localhost' });
    });

    t.test('an IPv4 address is no SNI', async (t) => {
      const origin = await start(t);
      const url = `https://127.0.0.1:${origin.port}/`;
      t.match(await ask(t, url, createConnector({ ca })), { servername: false });
    });

    const ipv6 = await ipv6Missing();
    t.test('an IPv6 address is no SNI', { skip: ipv6 }, async (t) => {
      const origin = await start(t, { listen: { host: '::1', port: 0 } });
      const url = `https://[::1]:${origin.port}/`;
      t.match(await ask(t, url, createConnector({ ca })), { servername: false });
    });

    t.test('an IPv6 address in brackets, which is what undici calls an https: proxy', async (t) => {
      const origin = await start(t);
      const connector = createConnector({ ca });
      const { error, socket } = await connect(connector, callFor(origin, { servername: '[::1]' }));
      t.equal(error, null);
      socket?.destroy();
    });

    t.test('the Host header names the server', async (t) => {
      const { port } = await start(t);
      const headers = { host: 'example.test' };
      for (const hostname of ['localhost', '127.0.0.1']) {
        const url = `https://${hostname}:${port}/`;
        const answer = await ask(t, url, createConnector({ ca }), headers);
        t.match(answer, { servername: 'example.test' });
      }
    });

    t.test('the Host header is what the certificate must name', async (t) => {
      const { url } = await start(t);
      const headers = { host: 'else.test' };
      await t.rejects(ask(t, url, createConnector({ ca }), headers), {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        host: 'else.test',
      });
    });

    t.test('the option servername names the server', async (t) => {
      const { port } = await start(t);
      const connect = createConnector({ ca, servername: 'a.wild.example.test' });
      const answer = await ask(t, `https://127.0.0.1:${port}/`, connect);
      t.match(answer, { servername: 'a.wild.example.test' });
    });

    t.test('the local address', async (t) => {
      const { url, port } = await start(t);
      const connect = createConnector({ ca, localAddress: '127.0.0.2' });
      t.match(await ask(t, url, connect), { clientAddress: '127.0.0.2' });

      const client = new Client(`https://localhost:${port}`, {
        localAddress: '127.0.0.3',
        connect: createConnector({ ca }),
      });
      t.teardown(() => client.destroy());
      const { body } = await client.request({ path: '/', method: 'GET' });
      t.match(await body.json(), { clientAddress: '127.0.0.3' });
    });

    t.test('the next address is tried when one refuses', async (t) => {
      const { port } = await start(t);
      // Nobody listens on 127.0.0.9.
      const lookup: net.LookupFunction = (_hostname, _options, callback) => {
        const addresses = ['127.0.0.9', '127.0.0.1'].map((address) => ({ address, family: 4 }));
        callback(null, addresses);
      };
      const url = `https://localhost:${port}/`;
      t.match(await ask(t, url, createConnector({ ca, lookup })), { servername: 'localhost' });
    });

    t.test('an address that refuses', async (t) => {
      const port = await unusedPort();
      const connect = createConnector({ ca });
      await t.rejects(ask(t, `https://127.0.0.1:${port}/`, connect), {
        code: 'ECONNREFUSED',
        port,
      });
    });

    t.test('a name that does not exist', async (t) => {
      const lookup: net.LookupFunction = (hostname, _options, callback) => {
        callback(Object.assign(new Error(`no ${hostname}`), { code: 'ENOTFOUND' }), []);
      };
      const connect = createConnector({ ca, lookup });
      await t.rejects(ask(t, 'https://localhost/', connect), { code: 'ENOTFOUND' });
    });

    t.test('a peer that closes in the handshake', async (t) => {
      const server = net.createServer((socket) => socket.end().on('error', () => {}));
      const port = await listen(t, server);
      const connect = createConnector({ ca });
      await t.rejects(ask(t, `https://localhost:${port}/`, connect), {
        code: 'ECONNRESET',
        host: 'localhost',
        port,
      });
    });

    t.test('a peer that does not speak TLS', async (t) => {
      const port = await listen(t, http.createServer());
      const url = `https://localhost:${port}/`;
      const theirs = await rejection(request(url, { dispatcher: new Agent() }));
      const ours = await rejection(ask(t, url, createConnector({ ca })));
      t.equal(ours.code, theirs.code);
    });
  });
}

t.test('connections send keep-alive probes and do not delay small writes', async (t) => {
  const origin = await start(t);
  const { cert: ca } = await root();
  for (const [options, seconds] of [
    [{}, 60],
    [{ keepAliveInitialDelay: 5000 }, 5],
    [{ keepAlive: false }, undefined],
  ] as const) {
    const { socket } = await connect(createConnector({ ca, ...options }), callFor(origin));
    t.teardown(() => socket?.destroy());
    await sleep(50);
    t.equal(await keepAliveTimer(socket!), seconds, JSON.stringify(options));
  }
});

t.test('a socket of the caller', async (t) => {
  const origin = await start(t);
  const { cert: ca } = await root();
  const connector = createConnector({ ca });

  t.test('that is connected', async (t) => {
    const httpSocket = net.connect(origin.port, '127.0.0.1');
    await once(httpSocket, 'connect');
    const { error, socket } = await connect(connector, callFor({ port: 1 }, { httpSocket }));
    t.equal(error, null);
    t.equal(socket?.remotePort, origin.port);
    await sleep(50);
    t.equal(await keepAliveTimer(socket!), 60);
    socket?.destroy();
  });

  t.test('that is still connecting', async (t) => {
    const httpSocket = net.connect(origin.port, '127.0.0.1');
    const { error, socket } = await connect(connector, callFor({ port: 1 }, { httpSocket }));
    t.equal(error, null);
    socket?.destroy();
  });

  t.test('that is destroyed', async (t) => {
    const httpSocket = net.connect(origin.port, '127.0.0.1');
    await once(httpSocket, 'connect');
    httpSocket.destroy();
    const outcome = await connect(connector, callFor({ port: 1 }, { httpSocket }));
    t.ok(outcome.error);
    await sleep(50);
    t.equal(outcome.calls, 1);
  });

  for (const code of ['UND_ERR_SOCKET', 'UND_ERR_INFO']) {
    t.test(`that fails with ${code}, which undici would retry without end`, async (t) => {
      const silent = net.createServer((socket) => socket.on('error', () => {}).resume());
      const httpSocket = net.connect(await listen(t, silent), '127.0.0.1');
      const connecting = connect(connector, callFor({ port: 1 }, { httpSocket }));
      await once(httpSocket, 'connect');
      await sleep(50);
      const cause = Object.assign(new Error('other side closed'), { code });
      httpSocket.destroy(cause);
      const outcome = await connecting;
      t.match(outcome.error, { code: 'ECONNRESET', host: 'localhost', port: 1, cause });
      await sleep(50);
      t.equal(outcome.calls, 1);
    });
  }
});

async function start(t: tap.Test, options?: OriginOptions): Promise<Origin> {
  const origin = await startOrigin(options);
  origin.server.on('tlsClientError', () => {});
  t.teardown(() => origin.close());
  return origin;
}

async function startOnUnixSocket(t: tap.Test): Promise<{ path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'undici-connector-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'socket');
  await start(t, { listen: { path } });
  return { path };
}

async function listen(t: tap.Test, server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function ipv6Missing(): Promise<string | false> {
  const server = net.createServer().listen(0, '::1');
  try {
    await once(server, 'listening');
    return false;
  } catch {
    return 'this machine has no IPv6';
  } finally {
    server.close();
  }
}

/** Seconds until the kernel's keep-alive timer of `socket` rings; undefined when it has none. */
async function keepAliveTimer(socket: net.Socket): Promise<number | undefined> {
  const port = socket.localPort?.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  // sl local_address rem_address st tx_queue:rx_queue tr:tm->when …
  const fields = lines.map((line) => line.trim().split(/\s+/));
  const [timer, when] = fields.find(([, local]) => local?.endsWith(`:${port}`))![5]!.split(':');
  const KEEP_ALIVE = '02';
  const HERTZ = 100;
  return timer === KEEP_ALIVE ? Math.round(parseInt(when!, 16) / HERTZ) : undefined;
}

async function rejection(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  return promise.then(
    () => new Error('not rejected'),
    (error: Error) => error,
  );
}
