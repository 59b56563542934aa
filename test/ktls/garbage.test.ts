/**
 * What comes after the install and is no TLS, or no whole TLS: an error of this connection, told
 * once, and nothing of it reaches the reader or any other connection.
 */
import type { TlsStream } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { connected, sent } from '../helpers/handshake.js';
import { nextEvent } from '../helpers/wait.js';
import { type Lane, relayed } from './relay.js';
import { noneLeft } from './statistics.js';

/** What is put on the wire towards the server after a while of ordinary data. */
const garbage: Record<string, Buffer> = {
  'an HTTP request in plaintext': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'random bytes': Buffer.concat([Buffer.of(0x99), randomBytes(4000)]),
  zeros: Buffer.alloc(4000),
  'a record of a version that is none': record(23, 0x0909, randomBytes(100)),
  'a record of a type that is none': record(99, 0x0303, randomBytes(100)),
  'a record longer than any can be': record(23, 0x0303, randomBytes(17_000)),
  'a record too short to have a tag': record(23, 0x0303, randomBytes(8)),
  'a record of nothing': record(23, 0x0303, Buffer.alloc(0)),
  'a record sealed with no key of ours': record(23, 0x0303, randomBytes(500)),
  'an alert in plaintext': record(21, 0x0303, Buffer.of(2, 40)),
  'a handshake in plaintext': record(22, 0x0301, Buffer.concat([Buffer.of(1), randomBytes(300)])),
};

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  for (const [name, bytes] of Object.entries(garbage)) {
    t.test(`${name}, ${maxVersion}`, async (t) => {
      const { ends, bystander, up } = await connection(t, maxVersion);
      const events = log(ends.server);
      up.inject(bytes);
      // Whatever the kernel waits for to complete a record.
      up.inject(randomBytes(20_000));
      await nextEvent(ends.server, 'close');
      t.same(events, ['error', 'close true'], 'one error, no data');
      await announced(ends.client);
      t.equal(await sent(bystander.client, bystander.server, 'unharmed'), 'unharmed');
      t.equal(await sent(bystander.server, bystander.client, 'too'), 'too');
    });
  }

  t.test(`the code says what it was, ${maxVersion}`, async (t) => {
    for (const [name, code] of [
      ['an HTTP request in plaintext', /^ERR_SSL_/],
      ['a record longer than any can be', /^ERR_SSL_DATA_LENGTH_TOO_LONG$/],
      ['a record sealed with no key of ours', /^ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC$/],
    ] as const) {
      const { ends, up } = await connection(t, maxVersion);
      const failed = nextEvent(ends.server.resume(), 'error');
      up.inject(garbage[name]!);
      const [error] = await failed;
      t.match((error as NodeJS.ErrnoException).code, code, name);
      t.match(error, { side: 'server' });
    }
  });

  t.test(`a record that is cut off by a FIN, ${maxVersion}`, async (t) => {
    for (const part of [1, 4, 5, 100]) {
      const { ends, up } = await connection(t, maxVersion);
      const events = log(ends.server);
      up.hold();
      ends.client.write('x'.repeat(1000));
      await up.holds(1000);
      up.release(part);
      await sleep(20);
      up.to.end();
      await nextEvent(ends.server, 'close');
      t.equal(ends.server.closeNotifyReceived, false);
      t.notOk(events.includes('data'), `nothing of it is data, ${part} bytes`);
      t.equal(events.filter((event) => event.startsWith('close')).length, 1);
    }
  });

  t.test(`good data before the garbage is delivered, ${maxVersion}`, async (t) => {
    const { ends, up } = await connection(t, maxVersion);
    const chunks: Buffer[] = [];
    ends.server.on('data', (chunk: Buffer) => chunks.push(chunk));
    ends.server.on('error', () => {});
    up.hold();
    ends.client.write('good');
    await up.holds(4);
    up.release();
    up.inject(garbage['an HTTP request in plaintext']!);
    await nextEvent(ends.server, 'close');
    t.equal(Buffer.concat(chunks).toString(), 'good');
  });
}

t.test('nothing stays in the kernel', noneLeft);

/** A connection in the kernel through a relay, data having passed, and another beside it. */
async function connection(t: Test, maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const setup = { client: { ktls: 'require', maxVersion }, server: { ktls: 'require' } } as const;
  const wire = await relayed(t);
  const ends = await connected(t, { ...setup, transport: wire });
  ends.client.on('error', () => {});
  const bystander = await connected(t, setup);
  t.equal(await sent(ends.client, ends.server, 'ordinary'), 'ordinary');
  t.equal(await sent(ends.server, ends.client, 'data'), 'data');
  const up: Lane = wire.up;
  return { ends, bystander, up };
}

/** The peer is told by an alert, or finds the connection gone. */
async function announced(client: TlsStream): Promise<void> {
  client.on('error', () => {}).resume();
  if (!client.closed) await nextEvent(client, 'close');
}

function log(stream: TlsStream): string[] {
  const events: string[] = [];
  for (const name of ['data', 'end', 'error', 'close']) {
    stream.on(name, (argument) => events.push(name === 'close' ? `close ${argument}` : name));
  }
  return events;
}

function record(type: number, version: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(version, 1);
  header.writeUInt16BE(body.length, 3);
  return Buffer.concat([header, body]);
}
