/** `sendFile()` while keys change: this side's in the middle of the file, the peer's, and both. */
import { hostKtls } from '@node-aws-lc/core';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { connected, type Ends } from '../helpers/handshake.js';
import { nextEvent } from '../helpers/wait.js';
import { counting, noneLeft } from './statistics.js';

t.setTimeout(170_000);

const { kernel, rekey } = hostKtls();
const skip = rekey ? false : `Linux ${kernel} cannot change keys; 6.14 can`;

const length = 6_000_000;

async function setup(t: Test): Promise<Ends & { fd: number; digest: string }> {
  const ends = await connected(t, { server: { ktls: 'require' }, client: { ktls: 'require' } });
  const name = path.join(t.testdir({}), 'file');
  const bytes = randomBytes(length);
  writeFileSync(name, bytes);
  const fd = openSync(name, 'r');
  t.teardown(() => closeSync(fd));
  return { ...ends, fd, digest: createHash('sha256').update(bytes).digest('hex') };
}

t.test('the peer changes its keys, and asks for ours, again and again', { skip }, async (t) => {
  const { client, server, fd, digest } = await setup(t);
  const counter = counting();
  const hash = createHash('sha256');
  let updates = 0;
  let received = 0;
  client.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    received += chunk.length;
    if (received < length && updates < 40) {
      updates++;
      // Data between them, or it would be a storm.
      client.updateKeys().then(
        () => client.write('word'),
        () => {},
      );
    }
  });
  server.resume();
  t.equal(await server.sendFile(fd), length);
  server.end();
  await nextEvent(client, 'end', 60_000);
  t.equal(hash.digest('hex'), digest);
  t.ok(updates > 3, `${updates} updates`);
  const { TlsTxRekeyOk, TlsDecryptError, TlsTxRekeyError, TlsRxRekeyError } = counter.moved();
  t.ok(TlsTxRekeyOk > updates, 'the sender of the file has changed its own');
  t.same([TlsDecryptError, TlsTxRekeyError, TlsRxRekeyError], [0, 0, 0]);
});

t.test('our own keys change between files and writes', { skip }, async (t) => {
  const { client, server, fd, digest } = await setup(t);
  const counter = counting();
  const hash = createHash('sha256');
  client.on('data', (chunk: Buffer) => hash.update(chunk));
  const part = 500_000;
  const all: Promise<unknown>[] = [];
  for (let start = 0; start < length; start += part) {
    all.push(server.sendFile(fd, { start, end: start + part - 1 }), server.updateKeys());
  }
  await Promise.all(all);
  server.end();
  await nextEvent(client, 'end', 60_000);
  t.equal(hash.digest('hex'), digest);
  t.match(counter.moved(), { TlsDecryptError: 0, TlsTxRekeyError: 0, TlsRxRekeyError: 0 });
  t.ok(counter.moved().TlsTxRekeyOk >= length / part);
});

t.test('nothing stays in the kernel', noneLeft);
