/** Many requests on one connection, many connections, and nothing left of any of them. */
import {
  ClientConfig,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import net from 'node:net';
import t, { type Test } from 'tap';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import { clientOptions, connected, serverOptions } from '../helpers/handshake.js';
import { echo, tlsServer } from '../helpers/server.js';
import { nextEvent } from '../helpers/wait.js';
import { expectInstalls, noneLeft } from './statistics.js';

const patience = 170_000;

/** In the lab 10,000 take two minutes; fewer show the same. */
const visitors = Number(process.env['NODE_AWS_LC_TEST_CONNECTIONS'] ?? 2000);

/** Requests of a size that tells them apart, and their answers, one after another. */
async function pingPong(client: TlsStream, count: number): Promise<boolean> {
  let received: Buffer = Buffer.alloc(0);
  let waiting: (() => void) | undefined;
  client.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    waiting?.();
  });
  for (let i = 0; i < count; i++) {
    const request = Buffer.from(`request ${i}`.padEnd(40 + (i % 100), '.'));
    client.write(request);
    while (received.length < request.length) {
      await new Promise<void>((resolve) => (waiting = resolve));
    }
    if (!received.equals(request)) return false;
    received = Buffer.alloc(0);
  }
  return true;
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  t.test(`10,000 requests on one connection, ${maxVersion}`, async (t) => {
    t.setTimeout(patience);
    await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
      const setup = {
        client: { ktls: 'require', maxVersion },
        server: { ktls: 'require' },
      } as const;
      const { client, server } = await connected(t, setup);
      echo(server);
      t.ok(await pingPong(client, 10_000), 'each with its answer');
      client.end();
      await nextEvent(client, 'close');
    });
  });
}

t.test('1,000 connections at the same time', async (t) => {
  t.setTimeout(patience);
  const count = 1000;
  await expectInstalls(t, { tx: 2 * count, rx: 2 * count }, async () => {
    const service = await tlsServer(t, { ktls: 'require' });
    const dial = await dialer(service.port);
    const clients: TlsStream[] = [];
    for (let i = 0; i < count; i += 50) {
      clients.push(...(await Promise.all(Array.from({ length: 50 }, dial))));
    }
    t.equal(clients.length, count);
    t.ok(clients.every((client) => client.ktlsActive));
    const answers = await Promise.all(clients.map((client) => pingPong(client, 3)));
    t.ok(answers.every(Boolean), 'each with its own answers');
    const closed = Promise.all(clients.map((client) => nextEvent(client, 'close', 60_000)));
    for (const client of clients) client.end();
    await closed;
    t.ok(clients.every((client) => client.closeNotifyReceived));
    t.same(service.failures, []);
  });
  await noneLeft();
});

t.test(`${visitors} connections leave no descriptor and no memory behind`, async (t) => {
  t.setTimeout(patience);
  const { key, cert, ktls } = await serverOptions({ ktls: 'require' });
  const acceptor = new TlsAcceptor(new ServerConfig({ key, cert, ktls }));
  const server = net.createServer((socket) => {
    acceptor.accept(socket).then(echo, (error: Error) => t.fail(error.message));
  });
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  t.teardown(() => server.close());
  const dial = await dialer((server.address() as net.AddressInfo).port);

  // Code is compiled and pools are filled by the first ones.
  await visits(t, dial, 1000);
  await noneLeft();
  const before = { descriptors: descriptorCount(), rss: settledRss() };
  const installs = { tx: 2 * visitors, rx: 2 * visitors };
  await expectInstalls(t, installs, () => visits(t, dial, visitors));
  await noneLeft();
  t.ok((await settledDescriptorCount(before.descriptors)) <= before.descriptors, 'descriptors');
  const growth = settledRss() - before.rss;
  t.comment(`RSS grew by ${Math.round(growth / 1024)} KiB`);
  t.ok(growth < 4 * 2 ** 20 + visitors * 512, 'less than half a KiB a connection');
});

/** Connections one after another, a few at a time, each with a request and a clean end. */
async function visits(t: Test, dial: () => Promise<TlsStream>, count: number): Promise<void> {
  let left = count;
  const visitor = async (): Promise<void> => {
    while (left-- > 0) {
      const client = await dial();
      if (!(await pingPong(client, 1))) t.fail('an answer was wrong');
      client.end();
      await nextEvent(client, 'close');
    }
  };
  await Promise.all(Array.from({ length: 8 }, visitor));
}

async function dialer(port: number): Promise<() => Promise<TlsStream>> {
  const connector = new TlsConnector(new ClientConfig(await clientOptions({ ktls: 'require' })));
  return () => connector.connect('localhost', net.connect(port, '127.0.0.1'));
}

/** Memory in use when garbage has been collected. */
function settledRss(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage.rss();
}
