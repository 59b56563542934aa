/**
 * Records that are not application data, and application data in unusual form, received through the
 * kernel. What a client may send and what it may not, sealed with the right keys.
 */
import { hostKtls, type TlsStream } from '@node-aws-lc/core';
import type net from 'node:net';
import t, { type Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { read, readAll } from '../helpers/handshake.js';
import { tlsServer } from '../helpers/server.js';
import { nextError, nextEvent } from '../helpers/wait.js';
import { parseRecords, recordTypes } from '../helpers/wire.js';
import { alerts, type Forged, forgedClient, handshakeMessage } from './forger.js';
import { counting } from './statistics.js';

// Then the KeyUpdate is honoured: rekey.test.ts.
const rekeys = hostKtls().rekey && 'this kernel can change keys';

const keyUpdate = 24;
const newSessionTicket = 4;
const clientHello = 1;
const finished = 20;

interface Attacked extends Forged {
  server: TlsStream;
}

/** A server in the kernel and a client that the test speaks for. */
async function attacked(t: Test): Promise<Attacked> {
  const service = await tlsServer(t, { ktls: 'require' }, (stream) => stream.on('error', () => {}));
  const forged = await forgedClient(t, service.port);
  const server = await service.accepted();
  t.equal(server.ktlsActive, true);
  return { ...forged, server };
}

t.test('what is sealed by hand is read', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  wire.write(Buffer.concat([sealer.data('one '), sealer.data('two '), sealer.data('three')]));
  t.equal(await read(server, 13), 'one two three');
});

t.test('padding is no data', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  const lengths = [1, 255, 16_384 - 4];
  wire.write(Buffer.concat(lengths.map((padding) => sealer.data('data', padding))));
  t.equal(await read(server, 12), 'datadatadata');
});

t.test('an empty record is neither data nor an end', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  wire.write(Buffer.concat([sealer.data(''), sealer.data('after one '), sealer.data('', 100)]));
  t.equal(await read(server, 10), 'after one ');
  wire.write(Buffer.concat([sealer.data(''), sealer.data(''), sealer.data('after more')]));
  t.equal(await read(server, 10), 'after more');
  wire.write(sealer.data(''));
  await sleep(50);
  t.notOk(server.readableEnded);
  wire.write(sealer.data('alone'));
  t.equal(await read(server, 5), 'alone');
});

t.test('close_notify is a clean end, and what follows it is nothing', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  wire.write(
    Buffer.concat([sealer.data('last'), sealer.alert(alerts.closeNotify, 1), sealer.data('no')]),
  );
  t.equal((await readAll(server)).toString(), 'last');
  t.equal(server.closeNotifyReceived, true);
});

for (const [description, level, name, code] of [
  [alerts.handshakeFailure, 2, 'handshake_failure', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
  [alerts.certificateExpired, 2, 'certificate_expired', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'],
  [alerts.internalError, 2, 'internal_error', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'],
  // In TLS 1.3 the level says nothing (RFC 8446, section 6).
  [alerts.internalError, 1, 'internal_error', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'],
] as const) {
  t.test(`a fatal alert is an error with its name: ${name}, level ${level}`, async (t) => {
    const { wire, sealer, server } = await attacked(t);
    const failed = nextError(server.resume());
    wire.write(sealer.alert(description, level));
    t.match(await failed, {
      code,
      side: 'server',
      alert: { direction: 'received', level, code: description, name },
    });
  });
}

t.test('data before a fatal alert is delivered first', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  const failed = nextError(server);
  wire.write(Buffer.concat([sealer.data('before'), sealer.alert(alerts.internalError)]));
  t.equal(await read(server, 6), 'before');
  t.match(await failed, { alert: { name: 'internal_error' } });
});

t.test('user_canceled alone is no end', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  wire.write(Buffer.concat([sealer.alert(alerts.userCanceled, 1), sealer.data('still here')]));
  t.equal(await read(server, 10), 'still here');
});

t.test('a KeyUpdate ends the connection with a clear error', { skip: rekeys }, async (t) => {
  for (const requested of [0, 1]) {
    const { wire, sealer, server } = await attacked(t);
    const answer = untilClosed(wire);
    const failed = nextError(server);
    const before = sealer.data('before');
    wire.write(Buffer.concat([before, sealer.handshake(keyUpdate, Buffer.of(requested))]));
    t.equal(await read(server, 6), 'before');
    t.match(await failed, { code: 'ERR_AWS_LC_KTLS_KEY_UPDATE', side: 'server' });
    t.ok(parseRecords(Buffer.concat(await answer)).length > 0, 'an alert was sent');
  }
});

t.test('handshake messages that have no place here are refused with an alert', async (t) => {
  const cases = [
    ['a ticket from a client', handshakeMessage(newSessionTicket, Buffer.alloc(50))],
    ['a new handshake', handshakeMessage(clientHello, Buffer.alloc(50))],
    ['a second Finished', handshakeMessage(finished, Buffer.alloc(32))],
    ['an unknown message', handshakeMessage(99, Buffer.alloc(3))],
    ['a message that never ends', handshakeMessage(newSessionTicket, Buffer.alloc(70_000))],
  ] as const;
  for (const [name, message] of cases) {
    const { wire, sealer, server } = await attacked(t);
    const failed = nextError(server.resume());
    for (let at = 0; at < message.length; at += 16_000) {
      wire.write(sealer.record(recordTypes.handshake, message.subarray(at, at + 16_000)));
    }
    const error = await failed;
    t.match(error.code, /^ERR_SSL_/, name);
    t.match(error, { side: 'server', alert: { direction: 'sent' } }, name);
  }
});

t.test('records of a type that has no place here are refused', async (t) => {
  for (const type of [0, recordTypes.changeCipherSpec, 24, 255]) {
    const { wire, sealer, server } = await attacked(t);
    const failed = nextError(server.resume());
    wire.write(sealer.record(type, 'what is this'));
    const error = await failed;
    t.match(error.code, /^ERR_SSL_/, `type ${type}`);
  }
});

t.test('an alert that is too short or too long is refused', async (t) => {
  for (const content of [Buffer.of(2), Buffer.of(2, 40, 2), Buffer.alloc(0)]) {
    const { wire, sealer, server } = await attacked(t);
    const failed = nextError(server.resume());
    wire.write(sealer.record(recordTypes.alert, content));
    t.match((await failed).code, /^ERR_SSL_/, `${content.length} bytes`);
  }
});

t.test('an endless stream of warnings is refused', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  const failed = nextError(server.resume());
  const warnings = Array.from({ length: 100 }, () => sealer.alert(alerts.userCanceled, 1));
  wire.write(Buffer.concat(warnings));
  t.match(await failed, { code: 'ERR_SSL_TOO_MANY_WARNING_ALERTS' });
});

t.test('any number of empty records hides no data', async (t) => {
  // The kernel passes over them, so nobody can count them; libssl refuses more than 32.
  const { wire, sealer, server } = await attacked(t);
  const empty = Array.from({ length: 2000 }, () => sealer.data(''));
  wire.write(Buffer.concat([...empty, sealer.data('at last')]));
  t.equal(await read(server, 7), 'at last');
});

t.test('a record that was changed on the way is refused, and counted', async (t) => {
  const counter = counting();
  const { wire, sealer, server } = await attacked(t);
  const failed = nextError(server);
  const record = sealer.data('a secret');
  record.writeUInt8(record.readUInt8(9) ^ 1, 9);
  wire.write(record);
  t.match(await failed, {
    code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
    alert: { direction: 'sent', name: 'bad_record_mac' },
  });
  t.notOk(server.read(), 'nothing of it is data');
  t.ok(counter.moved().TlsDecryptError >= 1);
});

t.test('a record that comes twice is refused', async (t) => {
  const { wire, sealer, server } = await attacked(t);
  const failed = nextError(server);
  const record = sealer.data('once');
  wire.write(Buffer.concat([record, record]));
  t.equal(await read(server, 4), 'once');
  t.match(await failed, { code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC' });
});

/** What arrives on the wire until it is closed. */
async function untilClosed(wire: net.Socket): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  wire.on('data', (chunk) => chunks.push(chunk)).resume();
  await nextEvent(wire, 'close');
  return chunks;
}
