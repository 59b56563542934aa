/** New keys in the middle of a connection (RFC 8446, section 4.6.3), with the records in userspace. */
import t from 'tap';
import { parseRecords, recordTypes, tapped } from '../helpers/wire.js';
import { connected, sent } from '../helpers/handshake.js';
import { eventually, nextError, nextEvent, rejection } from '../helpers/wait.js';

const userspace = { server: { ktls: 'off' }, client: { ktls: 'off' } } as const;

t.test('either end may change its keys, again and again, between data', async (t) => {
  for (const transport of ['tcp', 'duplex'] as const) {
    const { client, server } = await connected(t, { ...userspace, transport });
    for (let i = 0; i < 5; i++) {
      await client.updateKeys();
      t.equal(await sent(client, server, `there ${i}`), `there ${i}`);
      await server.updateKeys();
      t.equal(await sent(server, client, `back ${i}`), `back ${i}`);
      await Promise.all([client.updateKeys(), server.updateKeys()]);
    }
  }
});

t.test('a key update takes its place behind what was written before it', async (t) => {
  const { client, server } = await connected(t, userspace);
  const received: Buffer[] = [];
  server.on('data', (chunk: Buffer) => received.push(chunk));
  client.write(Buffer.alloc(2_000_000, 'a'));
  const updated = client.updateKeys();
  client.write(Buffer.alloc(2_000_000, 'b'));
  await updated;
  const expected = Buffer.concat([Buffer.alloc(2_000_000, 'a'), Buffer.alloc(2_000_000, 'b')]);
  await eventually('all of it', () => Buffer.concat(received).length === expected.length);
  t.ok(Buffer.concat(received).equals(expected));
});

t.test('the update is on the wire when the promise resolves, and it is answered', async (t) => {
  const wire = await tapped(t);
  const { client, server } = await connected(t, { ...userspace, transport: wire });
  t.equal(await sent(server, client, 'after the tickets'), 'after the tickets');
  server.on('data', () => {});
  client.on('data', () => {});
  const before = parseRecords(wire.fromClient()).length;
  await client.updateKeys();
  await eventually('the record', () => parseRecords(wire.fromClient()).length === before + 1);
  t.equal(parseRecords(wire.fromClient()).at(-1)!.type, recordTypes.applicationData);
  const answers = wire.fromServer().length;
  server.write('the peer’s own update goes first');
  await eventually(
    'the answer',
    () => parseRecords(wire.fromServer().subarray(answers)).length >= 2,
  );
});

t.test('a hundred updates in a row are borne, a storm of them is ended', async (t) => {
  for (const transport of ['tcp', 'duplex'] as const) {
    const { client, server } = await connected(t, { ...userspace, transport });
    for (let i = 0; i < 100; i++) await client.updateKeys();
    t.equal(await sent(client, server, 'all hundred'), 'all hundred');

    const failure = nextError(server);
    client.on('error', () => {}).resume();
    for (let i = 0; i < 200 && !client.destroyed; i++) await client.updateKeys().catch(() => {});
    t.match(await failure, {
      code: 'ERR_SSL_TOO_MANY_KEY_UPDATES',
      alert: { direction: 'sent', name: 'unexpected_message' },
    });
  }
});

t.test('where there are no keys to update, the error says so', async (t) => {
  const old = await connected(t, { ...userspace, server: { maxVersion: 'TLSv1.2', ktls: 'off' } });
  const error = await rejection(old.client.updateKeys());
  t.match(error, { code: 'ERR_AWS_LC_KEY_UPDATE', side: 'client' });
  t.equal(await sent(old.client, old.server, 'unharmed'), 'unharmed');
  const { client } = await connected(t, userspace);
  await nextEvent(client.destroy(), 'close');
  t.match(await rejection(client.updateKeys()), { code: /^ERR_/ });
});

t.test('a key update goes ahead of what is written after it, and of the end', async (t) => {
  const { client, server } = await connected(t, userspace);
  const received: Buffer[] = [];
  server.on('data', (chunk: Buffer) => received.push(chunk));
  const first = client.updateKeys();
  client.write('one');
  const second = client.updateKeys();
  client.end('two');
  await Promise.all([first, second]);
  await nextEvent(server, 'end');
  t.equal(Buffer.concat(received).toString(), 'onetwo');
  t.equal(server.closeNotifyReceived, true);
});

t.test('a key update that is asked for after the end harms nothing and says why not', async (t) => {
  const { client, server } = await connected(t, userspace);
  server.resume();
  client.end('all');
  t.match(await rejection(client.updateKeys()), {
    code: 'ERR_AWS_LC_KEY_UPDATE',
    message: /has been ended/,
  });
  t.equal(client.errored, null);
  client.destroy();
  t.match(await rejection(client.updateKeys()), { message: /is destroyed/ });
});

t.test('before TLS 1.3 the refusal names the version', async (t) => {
  const { client } = await connected(t, {
    ...userspace,
    client: { ktls: 'off', maxVersion: 'TLSv1.2' },
  });
  t.match(await rejection(client.updateKeys()), { message: /it takes TLSv1\.3, this is TLSv1\.2/ });
});
