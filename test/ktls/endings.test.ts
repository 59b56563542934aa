/**
 * How a connection in the kernel ends: close_notify from either side first, one half before the
 * other, time-outs, a FIN without an announcement, a reset. The same as in userspace, whichever
 * directions the kernel has.
 */
import {
  ClientConfig,
  createSecureServer,
  type KtlsOption,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import net from 'node:net';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Ends,
  type Setup,
  clientOptions,
  connected,
  readAll,
  sent,
  serverOptions,
} from '../helpers/handshake.js';
import { tcpPair } from '../helpers/transports.js';
import { nextError, nextEvent } from '../helpers/wait.js';
import { parseRecords, recordTypes, tapped } from '../helpers/wire.js';
import { expectInstalls, noneLeft } from './statistics.js';

const placements: Record<string, { ktls: KtlsOption; installs: { tx: number; rx: number } }> = {
  both: { ktls: 'require', installs: { tx: 2, rx: 2 } },
  'sending only': { ktls: { tx: 'require', rx: 'off' }, installs: { tx: 2, rx: 0 } },
  'receiving only': { ktls: { tx: 'off', rx: 'require' }, installs: { tx: 0, rx: 2 } },
};

const versions = ['TLSv1.3', 'TLSv1.2'] as const;

/** Every 'end', 'error' and 'close' of a stream in order, once it has closed. */
async function ending(stream: TlsStream): Promise<string[]> {
  const events: string[] = [];
  for (const name of ['end', 'error', 'close']) {
    stream.on(name, (argument) => events.push(name === 'close' ? `close ${argument}` : name));
  }
  await nextEvent(stream, 'close');
  return events;
}

for (const [where, { ktls, installs }] of Object.entries(placements)) {
  const inKernel = (t: Test, setup: Setup = {}) =>
    connected(t, {
      ...setup,
      client: { ...setup.client, ktls },
      server: { ...setup.server, ktls },
    });

  for (const maxVersion of versions) {
    for (const first of ['client', 'server'] as const) {
      t.test(`the ${first} ends first: ${where}, ${maxVersion}`, async (t) => {
        await expectInstalls(t, installs, async () => {
          const ends = await inKernel(t, { client: { maxVersion } });
          const { one, other } = sides(ends, first);
          const endings = Promise.all([ending(one), ending(other)]);
          one.resume().end('goodbye');
          t.equal((await readAll(other)).toString(), 'goodbye');
          for (const events of await endings) t.same(events, ['end', 'close false']);
          t.ok(other.closeNotifyReceived, 'announced');
          t.ok(one.closeNotifyReceived, 'answered');
        });
      });

      t.test(
        `the answer comes after the ${first} has ended: ${where}, ${maxVersion}`,
        async (t) => {
          const ends = await inKernel(t, {
            client: { maxVersion },
            handshake: { allowHalfOpen: true },
          });
          const { one, other } = sides(ends, first);
          const answer = Buffer.alloc(2_000_000, 'an answer ');
          one.end('a question');
          const question = readAll(other.iterator({ destroyOnReturn: false }) as never);
          t.equal((await question).toString(), 'a question');
          t.ok(other.closeNotifyReceived && other.writable);
          await sleep(20);
          other.end(answer);
          t.ok((await readAll(one)).equals(answer));
          t.ok(one.closeNotifyReceived);
        },
      );
    }
  }

  t.test(`everything written before the end arrives before the end: ${where}`, async (t) => {
    const { client, server } = await inKernel(t);
    const whole = Buffer.alloc(8_000_000, 'all of it ');
    for (let at = 0; at < whole.length; at += 70_000) client.write(whole.subarray(at, at + 70_000));
    client.resume().end();
    // A reader that comes late fills every buffer on the way.
    await sleep(200);
    t.ok((await readAll(server)).equals(whole));
    t.ok(server.closeNotifyReceived);
  });

  t.test(`destroySoon sends what is buffered and close_notify: ${where}`, async (t) => {
    const { client, server } = await inKernel(t);
    client.write(Buffer.alloc(500_000, 'x'));
    client.destroySoon();
    t.equal((await readAll(server)).length, 500_000);
    t.ok(server.closeNotifyReceived);
  });

  t.test(`destroy sends close_notify without waiting: ${where}`, async (t) => {
    const { client, server } = await inKernel(t);
    const events = ending(server.resume());
    client.destroy();
    t.same(await events, ['end', 'close false']);
    t.ok(server.closeNotifyReceived);
  });

  t.test(`an idle time-out that ends the stream announces it: ${where}`, async (t) => {
    const { client, server } = await inKernel(t);
    server.setTimeout(50, () => server.end());
    server.resume();
    t.equal((await readAll(client)).length, 0);
    t.ok(client.closeNotifyReceived);
  });

  t.test(`a FIN without close_notify is an end that was not announced: ${where}`, async (t) => {
    for (const strictClose of [false, true]) {
      const wire = await tapped(t);
      const { client, server } = await inKernel(t, { transport: wire, client: { strictClose } });
      t.equal(await sent(server, client, 'warm'), 'warm');
      server.on('error', () => {});
      client.on('error', () => {});
      const events = ending(client.resume());
      const error = strictClose ? nextError(client) : undefined;
      wire.relay.client.end();
      if (strictClose) t.match(await error, { code: 'ERR_AWS_LC_TRUNCATED', side: 'client' });
      t.same(await events, strictClose ? ['error', 'close true'] : ['end', 'close false']);
      t.equal(client.closeNotifyReceived, false);
    }
  });

  t.test(`a reset is one error, whatever the stream was doing: ${where}`, async (t) => {
    for (const doing of ['reading', 'writing', 'idle'] as const) {
      const wire = await tapped(t);
      const { client, server } = await inKernel(t, { transport: wire });
      server.on('error', () => {});
      const events = ending(client);
      const failed = nextError(client);
      if (doing === 'reading') client.resume();
      wire.relay.client.resetAndDestroy();
      if (doing === 'writing') await writeUntilError(client);
      if (doing === 'idle') await sleep(50).then(() => client.resume());
      t.match((await failed).code, /^(ECONNRESET|EPIPE)$/, doing);
      t.same(await events, ['error', 'close true'], doing);
    }
  });

  t.test(`data that came before the peer vanished is read first: ${where}`, async (t) => {
    const wire = await tapped(t);
    const { client, server } = await inKernel(t, { transport: wire });
    server.on('error', () => {});
    server.write(Buffer.alloc(300_000, 'y'));
    await sleep(100);
    wire.relay.client.end();
    t.equal((await readAll(client)).length, 300_000);
    t.equal(client.closeNotifyReceived, false);
  });
}

t.test('exactly one close_notify is on the wire in each direction, after the data', async (t) => {
  const wire = await tapped(t);
  const { client, server } = await connected(t, {
    transport: wire,
    client: { ktls: 'require' },
    server: { ktls: 'require', maxVersion: 'TLSv1.2' },
  });
  client.resume().end('a request');
  server.on('data', () => {});
  await Promise.all([nextEvent(client, 'close'), nextEvent(server, 'close')]);
  await sleep(50);
  for (const bytes of [wire.fromClient(), wire.fromServer()]) {
    const types = parseRecords(bytes).map((record) => record.type);
    t.equal(types.at(-1), recordTypes.alert);
    t.equal(types.filter((type) => type === recordTypes.alert).length, 1);
  }
});

t.test('a server that closes announces the end of its connections', async (t) => {
  const ends = await connected(t, { client: { ktls: 'require' }, server: { ktls: 'require' } });
  const events = ending(ends.client.resume());
  ends.server.end();
  ends.server.resume();
  t.same(await events, ['end', 'close false']);
  t.ok(ends.client.closeNotifyReceived);
});

const get = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
const httpEndings: Record<string, { request: string; settings?: object; close?: boolean }> = {
  keepAliveTimeout: { request: get, settings: { keepAliveTimeout: 50 } },
  timeout: { request: get.replace('/', '/never'), settings: { timeout: 50 } },
  headersTimeout: { request: 'GET / HT', settings: { headersTimeout: 50, requestTimeout: 60 } },
  'close()': { request: get, close: true },
};

for (const [ending, { request, settings, close }] of Object.entries(httpEndings)) {
  t.test(`a connection that an HTTP server ends by its ${ending} is announced`, async (t) => {
    const { key, cert, ktls } = await serverOptions({ ktls: 'require' });
    const server = createSecureServer(
      { key, cert, ktls, connectionsCheckingInterval: 20 },
      ({ url }, response) => {
        if (url === '/') response.end('answer');
      },
    );
    Object.assign(server, settings);
    server.listen(0, '127.0.0.1');
    await nextEvent(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const connector = new TlsConnector(new ClientConfig(await clientOptions({ ktls: 'require' })));
    const client = await connector.connect('localhost', net.connect(port, '127.0.0.1'));
    t.teardown(() => client.destroy());
    client.write(request);
    if (close === true) void nextEvent(client, 'readable').then(() => server.close());
    await readAll(client);
    t.equal(client.closeNotifyReceived, true);
  });
}

t.test('a peer that closes with data unread resets, and that is one error', async (t) => {
  const under = await tcpPair(t);
  const { client, server } = await connected(t, {
    transport: under,
    client: { ktls: 'require' },
    server: { ktls: 'require' },
  });
  const events = ending(server);
  server.on('error', () => {});
  server.write(Buffer.alloc(3_000_000, 'z'));
  await sleep(50);
  client.destroy();
  await sleep(50);
  server.resume();
  const seen = await events;
  t.equal(seen.at(-1), 'close true');
  t.equal(seen.filter((event) => event === 'error').length, 1);
});

t.test('nothing stays in the kernel', noneLeft);

function sides(ends: Ends, first: 'client' | 'server') {
  return first === 'client'
    ? { one: ends.client, other: ends.server }
    : { one: ends.server, other: ends.client };
}

async function writeUntilError(stream: TlsStream): Promise<void> {
  while (!stream.destroyed) {
    stream.write('x'.repeat(1000));
    await sleep(5);
  }
}
