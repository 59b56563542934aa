/**
 * KeyUpdate (RFC 8446, section 4.6.3) with the record layer in the kernel: on one that can change
 * keys (Linux 6.14) in every combination, on an older one with an error that says so.
 */
import { hostKtls, type KtlsOption } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { Child } from '../helpers/children.js';
import { connected, type Ends, sent } from '../helpers/handshake.js';
import { tlsServer } from '../helpers/server.js';
import { missing } from '../helpers/tools.js';
import { eventually, nextError, rejection, within } from '../helpers/wait.js';
import { transferred } from './bulk.js';
import { counting } from './statistics.js';

// The lab has one processor, and the machine under it may be busy.
t.setTimeout(170_000);
const slow = 60_000;

const { kernel, rekey } = hostKtls();
const cannot = rekey ? false : `Linux ${kernel} cannot change keys; 6.14 can`;
const can = rekey ? `Linux ${kernel} can change keys` : false;

const combinations: Record<string, { server: KtlsOption; client: KtlsOption }> = {
  'both in userspace': { server: 'off', client: 'off' },
  'both in the kernel': { server: 'require', client: 'require' },
  'the server in the kernel': { server: 'require', client: 'off' },
  'the client in the kernel': { server: 'off', client: 'require' },
  'kernel receiving only': {
    server: { tx: 'off', rx: 'require' },
    client: { tx: 'off', rx: 'require' },
  },
  'kernel sending only': {
    server: { tx: 'require', rx: 'off' },
    client: { tx: 'require', rx: 'off' },
  },
};

/** Both ends after a word each way: whatever goes to the kernel has gone there. */
async function settled(t: Test, { server, client }: { server: KtlsOption; client: KtlsOption }) {
  const ends = await connected(t, { server: { ktls: server }, client: { ktls: client } });
  // Update and data are two small segments, which Nagle's algorithm would hold up for 40 ms.
  for (const end of [ends.client, ends.server]) end.setNoDelay(true);
  t.equal(await sent(ends.client, ends.server, 'up'), 'up');
  t.equal(await sent(ends.server, ends.client, 'down'), 'down');
  return ends;
}

async function goesOn(t: Test, { client, server }: Ends): Promise<void> {
  t.equal(await sent(client, server, 'still up'), 'still up');
  t.equal(await sent(server, client, 'still down'), 'still down');
}

for (const [name, ktls] of Object.entries(combinations)) {
  const skip = name === 'both in userspace' ? false : cannot;

  t.test(`a hundred key updates in a row, ${name}`, { skip }, async (t) => {
    const ends = await settled(t, ktls);
    for (let turn = 0; turn < 100; turn++) {
      const end = turn % 2 === 0 ? ends.client : ends.server;
      const other = turn % 2 === 0 ? ends.server : ends.client;
      await end.updateKeys();
      if ((await sent(end, other, 'word')) !== 'word') t.fail(`broken by update ${turn}`);
      if ((await sent(other, end, 'back')) !== 'back') t.fail(`answer broken by update ${turn}`);
    }
    await goesOn(t, ends);
  });

  t.test(`keys change under load, both ways at once, ${name}`, { skip }, async (t) => {
    const { client, server } = await settled(t, ktls);
    const counter = counting();
    let busy = true;
    const updates = [client, server].map(async (end) => {
      while (busy) {
        await end.updateKeys();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    const arrived = await Promise.all([
      transferred(client, server),
      transferred(server, client),
    ]).finally(() => (busy = false));
    await Promise.all(updates);
    t.same(arrived, [true, true]);
    await goesOn(t, { client, server });
    const { TlsDecryptError, TlsRxRekeyError, TlsTxRekeyError } = counter.moved();
    t.same(TlsDecryptError, 0);
    if (rekey) {
      t.same({ TlsRxRekeyError, TlsTxRekeyError }, { TlsRxRekeyError: 0, TlsTxRekeyError: 0 });
    }
  });
}

t.test(
  'one update changes the keys of both ends in both directions',
  { skip: cannot },
  async (t) => {
    const ends = await settled(t, combinations['both in the kernel']!);
    const counter = counting();
    await ends.client.updateKeys();
    await goesOn(t, ends);
    t.match(counter.moved(), { TlsTxRekeyOk: 2, TlsRxRekeyOk: 2 });
  },
);

t.test('an update that lies behind data, close together', { skip: cannot }, async (t) => {
  const { client, server } = await settled(t, combinations['the server in the kernel']!);
  for (const length of [1, 16_384, 100_000]) {
    const arrived = transferred(client, server, length);
    await client.updateKeys();
    t.ok(await arrived, `${length} bytes`);
    await goesOn(t, { client, server });
  }
});

t.test('a storm of updates is ended', { skip: cannot }, async (t) => {
  const { client, server } = await settled(t, combinations['both in the kernel']!);
  const failure = nextError(server, slow);
  client.on('error', () => {});
  client.resume();
  await within(
    'the end of the storm',
    (async () => {
      for (let turn = 0; turn < 200 && !client.destroyed; turn++) {
        await client.updateKeys().catch(() => {});
        await new Promise((resolve) => setImmediate(resolve));
      }
    })(),
    slow,
  );
  t.match(await failure, { code: 'ERR_SSL_TOO_MANY_KEY_UPDATES' });
});

t.test('an old kernel refuses to update, and nothing else happens', { skip: can }, async (t) => {
  const ends = await settled(t, combinations['both in the kernel']!);
  for (const end of [ends.client, ends.server]) {
    t.match(await rejection(end.updateKeys()), {
      code: 'ERR_AWS_LC_KEY_UPDATE',
      message: /the kernel cannot change keys/,
    });
  }
  await goesOn(t, ends);
  t.same(ends.client.ktls, { tx: true, rx: true });
});

t.test("a peer's update ends the connection on an old kernel", { skip: can }, async (t) => {
  const { client, server } = await settled(t, combinations['the server in the kernel']!);
  const [failure, atTheClient] = [nextError(server, slow), nextError(client, slow)];
  client.resume();
  await client.updateKeys();
  t.match(await failure, { code: 'ERR_AWS_LC_KTLS_KEY_UPDATE', message: /ktls off/ });
  t.match(await atTheClient, { code: /ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR|ECONNRESET/ });
});

const openssl = missing('openssl', 'openssl') || cannot;
const gnutls = missing('gnutls-cli', 'gnutls-bin') || cannot;

t.test(
  'openssl changes its keys, with and without asking for ours',
  { skip: openssl },
  async (t) => {
    const { port } = await tlsServer(t, { ktls: 'require' });
    const peer = new Child(t, 'openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3'], {
      timeout: slow,
    });
    await peer.saw(/Verify return code/, slow);
    const counter = counting();
    const says = async (word: string) => {
      peer.write(`${word}\n`);
      await peer.saw(new RegExp(`^${word}$`, 'm'), slow);
    };
    await says('hello');
    // A command is a line that comes alone.
    peer.write('k\n');
    await eventually('new receiving keys', () => counter.moved().TlsRxRekeyOk === 1, slow);
    await says('after k');
    t.equal(counter.moved().TlsTxRekeyOk, 0, 'not asked for ours');
    peer.write('K\n');
    await eventually('new keys both ways', () => counter.moved().TlsTxRekeyOk === 1, slow);
    await says('after K');
    t.match(counter.moved(), { TlsRxRekeyOk: 2, TlsTxRekeyOk: 1, TlsDecryptError: 0 });
  },
);

t.test('gnutls changes its keys', { skip: gnutls }, async (t) => {
  const { port } = await tlsServer(t, { ktls: 'require' });
  const args = ['--insecure', '--inline-commands', '--port', String(port), '127.0.0.1'];
  const peer = new Child(t, 'gnutls-cli', args, { timeout: slow });
  await peer.saw(/Simple Client Mode/, slow);
  const counter = counting();
  peer.write('hello\n');
  await peer.saw(/^hello$/m, slow);
  peer.write('^rekey^\n');
  await eventually('new receiving keys', () => counter.moved().TlsRxRekeyOk === 1, slow);
  peer.write('after it\n');
  await peer.saw(/^after it$/m, slow);
  t.equal(counter.moved().TlsDecryptError, 0);
});
