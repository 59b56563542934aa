/** What `sendFile()` has to do whoever seals the records; run in userspace and over kernel TLS. */
import type { TlsStream } from '@node-aws-lc/core';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { settledDescriptorCount } from '../helpers/descriptors.js';
import { connected, type Ends, read, readAll, type Setup } from '../helpers/handshake.js';
import { eventually, nextError, nextEvent, rejection, within } from '../helpers/wait.js';

const slow = 60_000;
/** More than the buffers of a loopback connection hold. */
const flood = 12 * 2 ** 20;

/** A file of random bytes, open for reading until the test ends. */
function fileOf(t: Test, length: number): { fd: number; name: string; bytes: Buffer } {
  const name = path.join(t.testdir({}), 'file');
  const bytes = randomBytes(length);
  writeFileSync(name, bytes);
  const fd = openSync(name, 'r+');
  t.teardown(() => closeSync(fd));
  return { fd, name, bytes };
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The digest of all that arrives until the end. */
async function digestOf(from: TlsStream): Promise<string> {
  const hash = createHash('sha256');
  from.on('data', (chunk: Buffer) => hash.update(chunk));
  await nextEvent(from, 'end', slow);
  return hash.digest('hex');
}

/** Lets time pass until the stream has sent nothing for a while: its peer's buffers are full. */
async function stuck(stream: TlsStream): Promise<void> {
  for (let before = -1; before !== stream.bytesWritten; await sleep(150)) {
    before = stream.bytesWritten;
  }
}

/** Registers the tests on `t`, each over a connection made as `setup` says. */
export function sendFileCases(t: Test, setup: Setup): void {
  const connect = (t: Test): Promise<Ends> => connected(t, setup);

  t.test('any length arrives, at the edges of records and of pages', async (t) => {
    const { client, server } = await connect(t);
    for (const length of [0, 1, 4095, 4096, 16_383, 16_384, 16_385, 65_537, 1_048_577]) {
      const { fd, bytes } = fileOf(t, length);
      const arrived = read(server, length + 1);
      t.equal(await client.sendFile(fd), length);
      client.write('.');
      t.ok((await arrived) === `${bytes.toString()}.`, `${length} bytes`);
    }
  });

  t.test('a file of many megabytes, which counts as written', async (t) => {
    const { client, server } = await connect(t);
    const { name, bytes } = fileOf(t, flood + 333);
    const arrived = digestOf(client);
    const handle = await open(name);
    const before = server.bytesWritten;
    t.equal(await server.sendFile(handle), bytes.length);
    t.equal(server.bytesWritten - before, bytes.length);
    t.ok(handle.fd > 0, 'the handle is left open');
    await handle.close();
    server.end();
    t.equal(await arrived, sha256(bytes));
    t.ok(client.closeNotifyReceived);
  });

  t.test('a range from its first byte to its last, cut at the end of the file', async (t) => {
    const { client, server } = await connect(t);
    const { fd, bytes } = fileOf(t, 100_000);
    const ranges: [{ start?: number; end?: number }, number][] = [
      [{ start: 0, end: 0 }, 1],
      [{ start: 99_999 }, 1],
      [{ start: 16_384, end: 32_767 }, 16_384],
      [{ end: 49_999 }, 50_000],
      [{ start: 50_000, end: 200_000 }, 50_000],
      [{ start: 100_000 }, 0],
      [{ start: 2 ** 53 - 1 }, 0],
      [{ start: 1, end: Infinity }, 99_999],
      [{ start: undefined, end: undefined }, 100_000],
    ];
    for (const [range, length] of ranges) {
      const { start = 0 } = range;
      t.equal(await server.sendFile(fd, range), length, JSON.stringify(range));
      const expected = bytes.subarray(start, start + length).toString();
      if (length > 0) t.ok((await read(client, length)) === expected, 'the right bytes');
    }
  });

  t.test("the file's own position is neither used nor moved", async (t) => {
    const { client, server } = await connect(t);
    const { fd, bytes } = fileOf(t, 50_000);
    const next = Buffer.alloc(10);
    readSync(fd, next, 0, 10, null);
    await server.sendFile(fd);
    t.ok((await read(client, 50_000)) === bytes.toString());
    readSync(fd, next, 0, 10, null);
    t.same(next, bytes.subarray(10, 20));
  });

  t.test('files and writes go out in the order of the calls, corked or not', async (t) => {
    for (const corked of [false, true]) {
      const { client, server } = await connect(t);
      const { fd, bytes } = fileOf(t, 300_000);
      if (corked) server.cork();
      const sent: Promise<number>[] = [];
      const expected: Buffer[] = [];
      for (let i = 0; i < 10; i++) {
        server.write(`before ${i};`);
        sent.push(server.sendFile(fd, { start: i * 1000, end: 250_000 + i }));
        server.write(Buffer.alloc(i * 9_000, i));
        expected.push(
          Buffer.from(`before ${i};`),
          bytes.subarray(i * 1000, 250_001 + i),
          Buffer.alloc(i * 9_000, i),
        );
      }
      if (corked) process.nextTick(() => server.uncork());
      server.end('the end');
      const all = Buffer.concat([...expected, Buffer.from('the end')]);
      t.ok((await readAll(client)).equals(all), corked ? 'corked' : 'not corked');
      t.same(
        await Promise.all(sent),
        Array.from({ length: 10 }, (_, i) => 250_001 + i - i * 1000),
      );
      t.ok(client.closeNotifyReceived);
    }
  });

  t.test('a file resolves when it is through, not when what comes after it is', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, 10_000);
    server.cork();
    const first = server.sendFile(fd);
    server.write(Buffer.alloc(flood));
    server.uncork();
    t.equal(await within('the file', first), 10_000);
    t.ok(server.writableLength > 0, 'the write is still on its way');
    client.resume();
  });

  t.test('data comes in and goes back while a file goes out', async (t) => {
    const { client, server } = await connect(t);
    const { fd, bytes } = fileOf(t, flood);
    const up = randomBytes(3_000_000);
    const [down, uploaded] = [digestOf(client), digestOf(server)];
    const sent = server.sendFile(fd);
    client.end(up);
    t.equal(await uploaded, sha256(up));
    t.equal(await sent, flood);
    if (server.writable) server.end();
    t.equal(await down, sha256(bytes));
  });

  t.test('a reader that does not read stops the transfer, and nothing piles up', async (t) => {
    const { client, server } = await connect(t);
    const { fd, bytes } = fileOf(t, flood);
    const sent = server.sendFile(fd);
    await stuck(server);
    t.ok(server.bytesWritten < flood, `stopped after ${server.bytesWritten} bytes`);
    const before = process.cpuUsage();
    await sleep(300);
    const spent = process.cpuUsage(before);
    t.ok(spent.user + spent.system < 200_000, 'waiting costs nothing');
    const arrived = digestOf(client);
    t.equal(await within('the file', sent, slow), flood);
    server.end();
    t.equal(await arrived, sha256(bytes));
  });

  t.test('slow progress is no idle time-out, a stand-still is', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, flood);
    let idle = 0;
    server.setTimeout(700, () => idle++);
    const sent = server.sendFile(fd).catch((error: Error) => error);
    const reading = setInterval(() => void client.read(), 20);
    await sleep(1500);
    clearInterval(reading);
    t.equal(idle, 0);
    await eventually('the time-out', () => idle > 0);
    server.destroy();
    t.match(await sent, { code: 'ERR_STREAM_DESTROYED' });
  });

  t.test('closing the file after the call changes nothing', async (t) => {
    const { client, server } = await connect(t);
    const { name, bytes } = fileOf(t, 5_000_000);
    const arrived = digestOf(client);
    const handle = await open(name);
    const byHandle = server.sendFile(handle);
    await handle.close();
    const fd = openSync(name, 'r');
    const byNumber = server.sendFile(fd);
    closeSync(fd);
    // Would get the number that has become free.
    const other = fileOf(t, 100);
    t.same(await Promise.all([byHandle, byNumber]), [5_000_000, 5_000_000]);
    t.ok(other.fd > 0);
    server.end();
    t.equal(await arrived, sha256(Buffer.concat([bytes, bytes])));
  });

  t.test('a file that is deleted meanwhile arrives whole', async (t) => {
    const { client, server } = await connect(t);
    const { fd, name, bytes } = fileOf(t, flood);
    const sent = server.sendFile(fd);
    rmSync(name);
    const arrived = digestOf(client);
    t.equal(await sent, flood);
    server.end();
    t.equal(await arrived, sha256(bytes));
  });

  t.test('a file that shrinks resolves with what there was, and all of that arrives', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, flood);
    const sent = server.sendFile(fd, { end: flood - 1 });
    await stuck(server);
    const rest = server.bytesWritten + 5_000;
    ftruncateSync(fd, rest);
    let received = 0;
    client.on('data', (chunk: Buffer) => (received += chunk.length));
    const total = await within('the file', sent, slow);
    t.ok(total <= rest + 2 ** 20 && total < flood, `${total} bytes`);
    await eventually('all that was sent', () => received === total, slow);
    t.equal(await server.sendFile(fd, { start: 0, end: 9 }), 10, 'and the stream goes on');
    await eventually('ten more', () => received === total + 10);
  });

  t.test('a file that shrinks to what was sent already', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, flood);
    const sent = server.sendFile(fd);
    await stuck(server);
    ftruncateSync(fd, 0);
    let received = 0;
    client.on('data', (chunk: Buffer) => (received += chunk.length));
    const total = await within('the file', sent, slow);
    await eventually('all that was sent', () => received === total, slow);
  });

  t.test('a file of the process file system, which has no length', async (t) => {
    const { client, server } = await connect(t);
    const fd = openSync('/proc/version', 'r');
    t.teardown(() => closeSync(fd));
    const text = Buffer.alloc(1000);
    const length = readSync(fd, text, 0, 1000, 0);
    t.equal(await server.sendFile(fd), length);
    t.equal(await read(client, length), text.toString('utf8', 0, length));
  });

  t.test('what can be no file is refused at the call, and the stream is unharmed', async (t) => {
    const { client, server } = await connect(t);
    const { fd, name } = fileOf(t, 10);
    const closed = await open(name);
    await closed.close();
    const writeOnly = openSync(name, 'a');
    const folder = openSync(path.dirname(name), 'r');
    const nowhere = openSync(name, constants.O_RDONLY | 0o10000000);
    const device = openSync('/dev/null', 'r');
    for (const fd of [writeOnly, folder, nowhere, device]) t.teardown(() => closeSync(fd));
    const cases: [unknown, object | undefined, string][] = [
      ['file', undefined, 'ERR_INVALID_ARG_TYPE'],
      [undefined, undefined, 'ERR_INVALID_ARG_TYPE'],
      [null, undefined, 'ERR_INVALID_ARG_TYPE'],
      [{}, undefined, 'ERR_INVALID_ARG_TYPE'],
      [-1, undefined, 'ERR_OUT_OF_RANGE'],
      [1.5, undefined, 'ERR_OUT_OF_RANGE'],
      [2 ** 31, undefined, 'ERR_OUT_OF_RANGE'],
      [fd, { start: '1' }, 'ERR_INVALID_ARG_TYPE'],
      [fd, { end: 1n }, 'ERR_INVALID_ARG_TYPE'],
      [fd, { start: null }, 'ERR_INVALID_ARG_TYPE'],
      [fd, { start: -1 }, 'ERR_OUT_OF_RANGE'],
      [fd, { start: NaN }, 'ERR_OUT_OF_RANGE'],
      [fd, { start: Infinity }, 'ERR_OUT_OF_RANGE'],
      [fd, { start: 2 ** 53 }, 'ERR_OUT_OF_RANGE'],
      [fd, { end: 0.5 }, 'ERR_OUT_OF_RANGE'],
      [fd, { start: 5, end: 4 }, 'ERR_OUT_OF_RANGE'],
      [fd, { signal: {} }, 'ERR_INVALID_ARG_TYPE'],
      [fd, { signal: AbortSignal.abort() }, 'ABORT_ERR'],
      [closed, undefined, 'EBADF'],
      [1_000_000, undefined, 'EBADF'],
      [writeOnly, undefined, 'EBADF'],
      [nowhere, undefined, 'EBADF'],
      [folder, undefined, 'EISDIR'],
      [device, undefined, 'ESPIPE'],
    ];
    const before = await settledDescriptorCount(0, 100);
    for (const [file, options, code] of cases) {
      const error = await rejection(server.sendFile(file as number, options));
      t.equal(error.code, code, `${String(file)} ${String(Object.entries(options ?? {}))}`);
    }
    t.match(await rejection(server.sendFile(folder)), {
      message: 'EISDIR: illegal operation on a directory, read',
      syscall: 'read',
    });
    t.ok((await settledDescriptorCount(before)) <= before, 'no descriptor stays open');
    t.equal(await server.sendFile(fd), 10);
    await read(client, 10);
  });

  t.test('after end() and after destroy() nothing is sent', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, 10);
    client.resume();
    server.end();
    t.match(await rejection(server.sendFile(fd)), { code: 'ERR_STREAM_WRITE_AFTER_END' });
    await nextEvent(client, 'end');
    t.ok(client.closeNotifyReceived, 'and the end is clean');
    server.destroy();
    t.match(await rejection(server.sendFile(fd)), { code: 'ERR_STREAM_DESTROYED' });
  });

  t.test('aborted before its turn, a file has not been', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, 10);
    const { fd: large } = fileOf(t, flood);
    const controller = new AbortController();
    const before = await settledDescriptorCount(0, 100);
    const first = server.sendFile(large);
    const second = rejection(server.sendFile(fd, { signal: controller.signal }));
    const third = server.sendFile(fd);
    controller.abort(new Error('changed my mind'));
    t.match(await second, { name: 'AbortError', cause: { message: 'changed my mind' } });
    let received = 0;
    client.on('data', (chunk: Buffer) => (received += chunk.length));
    t.same(await Promise.all([first, third]), [flood, 10]);
    await eventually('all of the others', () => received === flood + 10, slow);
    t.notOk(server.destroyed);
    t.ok((await settledDescriptorCount(before)) <= before, 'no descriptor stays open');
  });

  t.test(
    'aborted in the middle, the stream is destroyed and the peer sees no clean end',
    async (t) => {
      const { client, server } = await connect(t);
      const { fd } = fileOf(t, flood);
      const controller = new AbortController();
      const sent = rejection(server.sendFile(fd, { signal: controller.signal }));
      const queued = rejection(server.sendFile(fd));
      const failed = nextError(server);
      await stuck(server);
      controller.abort();
      t.match(await sent, { name: 'AbortError', code: 'ABORT_ERR' });
      t.match(await failed, { name: 'AbortError' });
      t.match(await queued, { name: 'AbortError' });
      t.ok(server.destroyed);
      client.on('error', () => {}).resume();
      await nextEvent(client, 'close');
      t.notOk(client.closeNotifyReceived);
    },
  );

  t.test('aborted after it was sent, nothing happens', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, 10);
    const controller = new AbortController();
    t.equal(await server.sendFile(fd, { signal: controller.signal }), 10);
    controller.abort();
    await read(client, 10);
    t.notOk(server.destroyed);
  });

  t.test(
    'destroyed in the middle, all that wait are rejected and every descriptor comes back',
    async (t) => {
      const { fd } = fileOf(t, flood);
      const transfer = async (when: number): Promise<void> => {
        const { client, server } = await connect(t);
        const all = Array.from({ length: 10 }, () => rejection(server.sendFile(fd)));
        if (when > 0) await sleep(when);
        server.destroy();
        for (const error of await Promise.all(all)) {
          if (error.code !== 'ERR_STREAM_DESTROYED') t.fail(String(error));
        }
        client.on('error', () => {}).resume();
        await nextEvent(client, 'close');
        t.notOk(client.closeNotifyReceived && when > 0);
      };
      await transfer(50);
      const before = await settledDescriptorCount(0, 100);
      for (const when of [0, 1, 5, 50]) await transfer(when);
      t.ok((await settledDescriptorCount(before)) <= before, 'no descriptor stays open');
    },
  );

  t.test('a reader that vanishes is an error of the stream and of the transfer', async (t) => {
    const { client, server } = await connect(t);
    const { fd } = fileOf(t, flood);
    const before = await settledDescriptorCount(0, 100);
    const sent = rejection(server.sendFile(fd));
    const failed = nextError(server);
    await stuck(server);
    client.resetAndDestroy();
    const error = await sent;
    t.match(error, {
      code: /^(ECONNRESET|EPIPE|ERR_STREAM_DESTROYED|ERR_STREAM_PREMATURE_CLOSE)$/,
    });
    t.equal(await failed, error);
    t.ok((await settledDescriptorCount(before)) <= before, 'no descriptor stays open');
  });

  t.test('keys change between two files', async (t) => {
    const { client, server } = await connect(t);
    const { fd, bytes } = fileOf(t, 2_000_000);
    const arrived = digestOf(client);
    const outcomes = await Promise.all([
      server.sendFile(fd),
      server.updateKeys().then(
        () => 'updated',
        (error: { code?: string }) => error.code,
      ),
      server.sendFile(fd),
    ]);
    t.match(outcomes, [2_000_000, /^(updated|ERR_AWS_LC_KEY_UPDATE)$/, 2_000_000]);
    server.end();
    t.equal(await arrived, sha256(Buffer.concat([bytes, bytes])));
  });
}
