import t from 'tap';
import { http2Socket } from '@node-aws-lc/core';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import { connected, read, readAll } from '../helpers/handshake.js';
import { nextEvent, within } from '../helpers/wait.js';

const BULK = randomBytes(5 * 1024 * 1024);
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

for (const transport of ['tcp', 'unix'] as const) {
  t.test(`the socket carries the plaintext both ways: ${transport}`, async (t) => {
    const ends = await connected(t, { transport });
    const client = http2Socket(ends.client);
    const server = http2Socket(ends.server);
    t.teardown(() => client.destroy());
    server.pipe(server);
    const echoed = readAll(client);
    client.end(BULK);
    t.equal(digest(await echoed), digest(BULK));
    for (const end of [ends.client, ends.server]) {
      if (!end.closed) await nextEvent(end, 'close');
    }
    t.equal(ends.client.closeNotifyReceived, true);
    t.equal(ends.server.closeNotifyReceived, true);
    t.equal(ends.server.bytesRead, BULK.length);
    t.equal(ends.server.bytesWritten, BULK.length);
  });
}

t.test('what the stream has read already comes first', async (t) => {
  const { client, server } = await connected(t);
  client.write('before ');
  await nextEvent(server, 'readable');
  const socket = http2Socket(server);
  client.end('and after');
  t.equal(String(await readAll(socket)), 'before and after');
  t.equal(server.bytesRead, 16);
});

t.test('an end that has come already comes through', async (t) => {
  const { client, server } = await connected(t);
  client.end('all');
  await nextEvent(server, 'readable');
  await sleep(50);
  const socket = http2Socket(server);
  t.equal(String(await readAll(socket)), 'all');
});

t.test('end() is through when the peer has been sent everything, and not before', async (t) => {
  const { client, server } = await connected(t);
  const socket = http2Socket(server);
  let finished = false;
  socket.on('finish', () => (finished = true));
  for (let i = 0; i < 6; i++) socket.write(BULK);
  socket.end();
  await sleep(300);
  t.equal(finished, false, 'the peer has not read yet');
  const received = await readAll(client);
  t.equal(received.length, 6 * BULK.length);
  t.equal(client.closeNotifyReceived, true);
});

t.test('a peer that does not read holds the writer back', async (t) => {
  const { server } = await connected(t);
  const socket = http2Socket(server);
  let taken = 0;
  while (taken < 64 * BULK.length && socket.write(BULK)) taken += BULK.length;
  t.ok(taken < 2 * BULK.length, 'write() asks to wait');
});

t.test('a reader that does not read holds the peer back', async (t) => {
  const { client, server } = await connected(t);
  const socket = http2Socket(server);
  socket.pause();
  let written = false;
  client.write(Buffer.alloc(32 * 1024 * 1024), () => (written = true));
  await sleep(300);
  t.equal(written, false);
  t.ok(server.bytesRead < 16 * 1024 * 1024);
  socket.resume();
  await within('the rest', nextEvent(client, 'drain'));
  t.equal(written, true);
});

t.test('destroying the socket sends what was written before, and close_notify', async (t) => {
  const { client, server } = await connected(t);
  const socket = http2Socket(server);
  const received = readAll(client);
  socket.write('goodbye', () => socket.destroy());
  t.equal(String(await received), 'goodbye');
  t.equal(client.closeNotifyReceived, true);
  if (!server.closed) await nextEvent(server, 'close');
});

t.test('destroying the stream with an error destroys the socket with it', async (t) => {
  const { server } = await connected(t);
  const socket = http2Socket(server);
  const failed = nextEvent(socket, 'error');
  server.destroy(new Error('enough'));
  t.match(await failed, [{ message: 'enough' }]);
});

t.test('a connection that is reset is an error on the socket', async (t) => {
  const { client, server } = await connected(t);
  const socket = http2Socket(server);
  const failed = nextEvent(socket, 'error');
  client.resetAndDestroy();
  t.match(await failed, [{ code: 'ECONNRESET' }]);
  if (!server.closed) await nextEvent(server, 'close');
});

t.test('the time-out of the stream sees the traffic that passes by', async (t) => {
  const { client, server } = await connected(t);
  const socket = http2Socket(server);
  socket.resume();
  let timeouts = 0;
  server.setTimeout(200, () => timeouts++);
  for (let i = 0; i < 10; i++) {
    client.write('tick');
    await sleep(60);
  }
  t.equal(timeouts, 0);
  await within('the time-out', nextEvent(server, 'timeout'));
});

t.test('keys are changed under the traffic', async (t) => {
  const { client, server } = await connected(t);
  const socket = http2Socket(server);
  socket.write('one');
  t.equal(await read(client, 3), 'one');
  await server.updateKeys();
  socket.write('two');
  t.equal(await read(client, 3), 'two');
  await client.updateKeys();
  client.write('six');
  t.equal(await read(socket, 3), 'six');
});

t.test('nothing stays behind', async (t) => {
  const before = descriptorCount();
  for (let i = 0; i < 20; i++) {
    const ends = await connected(t);
    const [client, server] = [http2Socket(ends.client), http2Socket(ends.server)];
    server.on('error', () => {}).resume();
    client.on('error', () => {}).resume();
    if (i % 3 === 0) client.end();
    else if (i % 3 === 1) client.destroy();
    else ends.client.resetAndDestroy();
    if (!ends.server.closed) await nextEvent(ends.server, 'close');
  }
  t.ok((await settledDescriptorCount(before)) <= before);
});
