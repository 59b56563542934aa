/** What each side asks for and what it gets: each direction on its own, and every refusal by name. */
import type { KtlsOption, TlsStream } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { type Ends, connected, handshake, read } from '../helpers/handshake.js';
import { nextError, nextEvent } from '../helpers/wait.js';
import { transferred } from './bulk.js';
import { expectInstalls, noneLeft } from './statistics.js';

const modes: { ktls: KtlsOption; tx: boolean; rx: boolean }[] = [
  { ktls: 'require', tx: true, rx: true },
  { ktls: { tx: 'require', rx: 'off' }, tx: true, rx: false },
  { ktls: { tx: 'off', rx: 'require' }, tx: false, rx: true },
  { ktls: 'off', tx: false, rx: false },
];

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  for (const client of modes) {
    for (const server of modes) {
      const name = `client ${told(client.ktls)}, server ${told(server.ktls)}, ${maxVersion}`;
      t.test(name, async (t) => {
        const installs = {
          tx: Number(client.tx) + Number(server.tx),
          rx: Number(client.rx) + Number(server.rx),
        };
        await expectInstalls(t, installs, async () => {
          const ends = await connected(t, {
            client: { ktls: client.ktls, maxVersion },
            server: { ktls: server.ktls },
          });
          t.match(ends.client.ktls, { tx: client.tx, rx: client.rx });
          t.match(ends.server.ktls, { tx: server.tx, rx: server.rx });
          t.equal(ends.client.ktlsActive, client.tx && client.rx);
          t.ok(await echoed(ends), 'data goes both ways');
          await ended(ends);
        });
      });
    }
  }
}

t.test('the reason says which direction was not wanted', async (t) => {
  const { client, server } = await connected(t, {
    client: { ktls: { tx: 'off' } },
    server: { ktls: { rx: 'off' } },
  });
  t.match(client.ktls, { tx: false, rx: true, reason: /^sending: .*off/ });
  t.match(server.ktls, { tx: true, rx: false, reason: /^receiving: .*off/ });
});

t.test('with nothing said both directions go into the kernel', async (t) => {
  await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
    const { client, server } = await connected(t);
    t.same(client.ktls, { tx: true, rx: true });
    t.same(server.ktls, { tx: true, rx: true });
  });
});

t.test('what is said of one connection goes before the configuration', async (t) => {
  await expectInstalls(t, { tx: 0, rx: 0 }, async () => {
    const setup = { client: { ktls: 'require' }, server: { ktls: 'require' } } as const;
    const ends = await connected(t, { ...setup, handshake: { ktls: 'off' } });
    t.match([ends.client.ktls, ends.server.ktls], Array(2).fill({ tx: false, rx: false }));
  });
  const setup = { client: { ktls: 'off' }, server: { ktls: 'off' } } as const;
  const ends = await connected(t, { ...setup, handshake: { ktls: 'require' } });
  t.ok(ends.client.ktlsActive && ends.server.ktlsActive);
});

t.test('a suite that the kernel does not know stays in userspace and says so', async (t) => {
  const cipher = 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA';
  const cbc = { cipherSuites: [cipher] };
  await expectInstalls(t, { tx: 0, rx: 0 }, async () => {
    const ends = await connected(t, { client: cbc, server: cbc });
    for (const end of [ends.client, ends.server]) {
      t.match(end.ktls, { tx: false, rx: false, reason: new RegExp(cipher) });
      t.equal(end.ktlsEligibility.eligible, false);
    }
    t.ok(await echoed(ends));
  });
});

t.test('what is required and cannot be had fails before any data moves', async (t) => {
  const cbc = { cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'] };
  const alert = { direction: 'sent', name: 'internal_error' };
  const refusal = { code: 'ERR_AWS_LC_KTLS_REQUIRED', message: /CBC/, alert };
  for (const ktls of ['require', { tx: 'require' }, { rx: 'require' }] as const) {
    const atClient = await handshake(t, { client: { ...cbc, ktls }, server: cbc });
    t.match(atClient.client, { ...refusal, side: 'client' });
    await sawNoData(t, atClient.server);
    const atServer = await handshake(t, { client: cbc, server: { ...cbc, ktls } });
    t.match(atServer.server, { ...refusal, side: 'server' });
    await sawNoData(t, atServer.client);
  }
});

t.test('a transport that is no TCP socket stays in userspace and says so', async (t) => {
  for (const transport of ['unix', 'duplex'] as const) {
    const ends = await connected(t, { transport });
    t.match(ends.client.ktls, { tx: false, rx: false, reason: /TCP socket/ }, transport);
    t.ok(await echoed(ends));
    const setup = { transport, server: { ktls: 'require' } } as const;
    const refused = await handshake(t, setup);
    t.match(refused.server, { code: 'ERR_AWS_LC_KTLS_REQUIRED' }, transport);
    await sawNoData(t, refused.client);
  }
});

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  t.test(`afterBytes waits until so much has passed, ${maxVersion}`, async (t) => {
    await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
      const ktls = { afterBytes: 100_000 };
      const ends = await connected(t, { client: { ktls, maxVersion }, server: { ktls } });
      t.match(ends.client.ktls, { tx: false, rx: false, reason: /100000 bytes/ });
      ends.client.write('x'.repeat(99_000));
      await read(ends.server, 99_000);
      t.match(ends.server.ktls, { tx: false, rx: false }, 'not yet');
      t.ok(await echoed(ends), 'what is under way at the change arrives');
      t.same(ends.client.ktls, { tx: true, rx: true });
      t.same(ends.server.ktls, { tx: true, rx: true });
      await ended(ends);
    });
  });
}

t.test('nothing stays in the kernel', noneLeft);

function told(ktls: KtlsOption): string {
  return typeof ktls === 'string' ? ktls : JSON.stringify(ktls);
}

async function echoed({ client, server }: Ends): Promise<boolean> {
  const both = await Promise.all([
    transferred(client, server, 400_000),
    transferred(server, client, 400_000),
  ]);
  return both.every(Boolean);
}

async function ended({ client, server }: Ends): Promise<void> {
  const closed = Promise.all([nextEvent(client, 'close'), nextEvent(server, 'close')]);
  client.resume().end();
  server.resume();
  await closed;
}

/** The peer of one that gave up is told by an alert: an end in good order would look like an empty answer. */
async function sawNoData(t: Test, peer: TlsStream | Error): Promise<void> {
  if (peer instanceof Error) throw peer;
  peer.on('data', () => t.fail('data moved'));
  t.match(await nextError(peer), { alert: { direction: 'received', name: 'internal_error' } });
  t.equal(peer.closeNotifyReceived, false);
}
