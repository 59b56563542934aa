/**
 * `ktls: 'require'` is decided before any data moves: a handshake whose last flight brings a part of
 * a record is not over before the rest of it has come, or cannot come any more.
 */
import {
  ClientConfig,
  type KtlsOption,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOptions, read, readAll, serverOptions } from '../helpers/handshake.js';
import { type CodedError, rejection } from '../helpers/wait.js';
import { transferred } from './bulk.js';
import { type Lane, relayed } from './relay.js';
import { expectInstalls } from './statistics.js';

interface Partial {
  client: TlsStream;
  /** What the client has received. */
  received: Buffer[];
  accepted: Promise<TlsStream>;
  up: Lane;
}

/** A client whose last flight has arrived with the record behind it but for that record's last bytes. */
async function partial(
  t: Test,
  say: (client: TlsStream) => void,
  { ktls = 'require', handshakeTimeout }: { ktls?: KtlsOption; handshakeTimeout?: number } = {},
): Promise<Partial> {
  const { client: near, server: far, up } = await relayed(t);
  up.onFlight = (flight) => flight === 1 && up.holdFrom(up.seen.length);
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions({ ktls })));
  const accepted = acceptor.accept(far, { handshakeTimeout });
  accepted.catch(() => {});
  const connector = new TlsConnector(new ClientConfig(await clientOptions({ ktls: 'off' })));
  const client = await connector.connect('localhost', near);
  client.on('error', () => {});
  t.teardown(() => client.destroy());
  const received: Buffer[] = [];
  client.on('data', (chunk: Buffer) => received.push(chunk));
  say(client);
  // Long enough for all that it has to say.
  await sleep(50);
  up.release(up.held.length - 5);
  return { client, received, accepted, up };
}

for (const ktls of ['require', { rx: 'require' }, { tx: 'off', rx: 'require' }] as KtlsOption[]) {
  t.test(
    `accept() waits for the end of a record that has come in part: ${JSON.stringify(ktls)}`,
    async (t) => {
      const rx = 1;
      const tx = JSON.stringify(ktls).includes('off') ? 0 : 1;
      await expectInstalls(t, { tx, rx }, async () => {
        const { accepted, up } = await partial(t, (client) => client.write('request'), { ktls });
        let over = false;
        void accepted.then(() => (over = true));
        await sleep(200);
        t.equal(over, false, 'nothing is decided yet');
        up.release();
        const server = await accepted;
        t.teardown(() => server.destroy());
        t.match(server.ktls, { tx: tx === 1, rx: true });
        t.equal(await read(server, 7), 'request');
      });
    },
  );
}

t.test('after it everything goes through the kernel', async (t) => {
  const { client, accepted, up } = await partial(t, (client) => client.write('request'));
  client.removeAllListeners('data');
  up.release();
  const server = await accepted;
  t.teardown(() => server.destroy());
  t.equal(server.ktlsActive, true);
  t.equal(await read(server, 7), 'request');
  t.ok(await transferred(client, server, 100_000), 'up');
  t.ok(await transferred(server, client, 100_000), 'down');
});

t.test('auto does not wait', async (t) => {
  const { accepted, up } = await partial(t, (client) => client.write('request'), { ktls: 'auto' });
  const server = await accepted;
  t.teardown(() => server.destroy());
  t.match(server.ktls, {
    tx: true,
    rx: false,
    reason: 'receiving: waiting for the end of a record',
  });
  up.release();
  t.equal(await read(server, 7), 'request');
  t.equal(server.ktlsActive, true);
});

t.test(
  'the rest of a record that never comes is waited for no longer than a handshake may take',
  async (t) => {
    const { accepted, received } = await partial(t, (client) => client.write('request'), {
      handshakeTimeout: 300,
    });
    t.match(await rejection(accepted), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    t.same(received, [], 'nothing was sent');
  },
);

t.test(
  'a client that goes in the middle of the record is refused, and nothing was sent',
  async (t) => {
    const { client, accepted, received } = await partial(t, (client) => client.write('request'));
    client.resetAndDestroy();
    const error = await rejection(accepted);
    t.match(error.code, /ERR_AWS_LC_KTLS_REQUIRED|ECONNRESET/);
    t.same(received, []);
  },
);

t.test(
  'a client that ends with its last flight leaves nothing to receive, which is no refusal',
  async (t) => {
    for (const ktls of ['require', { tx: 'require' }, { rx: 'require' }] as const) {
      await expectInstalls(t, { tx: 1, rx: 0 }, async () => {
        const say = (client: TlsStream) => client.end('request');
        const { accepted, up } = await partial(t, say, { ktls });
        up.keepsEnd = true;
        up.release();
        const server = await accepted;
        t.teardown(() => server.destroy());
        t.match(server.ktls, { tx: true, rx: false, reason: /^receiving: .*nothing is left/ });
        t.equal((await readAll(server)).toString(), 'request');
        t.equal(server.closeNotifyReceived, true);
      });
    }
  },
);

t.test(
  'a client whose FIN is there before the kernel can begin is refused with the reason',
  async (t) => {
    const { accepted, up, received } = await partial(t, (client) => client.end('request'));
    up.release();
    // Which of the two comes first is up to the network.
    const outcome = await accepted.catch((error: CodedError) => error);
    if (outcome instanceof Error) {
      t.match(outcome, {
        code: 'ERR_AWS_LC_KTLS_REQUIRED',
        message: /the peer had closed its half/,
      });
      t.same(received, []);
    } else {
      t.teardown(() => outcome.destroy());
      t.equal(await read(outcome, 7), 'request');
    }
  },
);

t.test(
  'auto serves a client that ends with its last flight, and says why not in the kernel',
  async (t) => {
    const { accepted, up } = await partial(t, (client) => client.end('request'), {
      ktls: 'auto',
    });
    up.release();
    const server = await accepted;
    t.teardown(() => server.destroy());
    t.equal(await read(server, 7), 'request');
    t.match(server.ktls, { rx: false, reason: /the peer had (ended|closed) its half already/ });
  },
);
