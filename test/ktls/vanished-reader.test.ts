/** A reader that goes away is noticed, although the kernel goes on sealing records for nobody. */
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { connected } from '../helpers/handshake.js';

t.test('by a file that is being sent', async (t) => {
  const file = path.join(t.testdir(), 'zeros');
  await writeFile(file, Buffer.alloc(64 * 1024 * 1024));
  const { client, server } = await connected(t, { server: { ktls: 'require' } });
  server.allowHalfOpen = true;
  server.on('error', () => {}).resume();
  client.once('data', () => client.destroy());
  const handle = await open(file);
  t.teardown(() => handle.close());
  await t.rejects(server.sendFile(handle), { code: /^(EPIPE|ECONNRESET)$/ });
});

t.test('by a long write', async (t) => {
  const { client, server } = await connected(t, { server: { ktls: 'require' } });
  server.allowHalfOpen = true;
  server.resume();
  client.once('data', () => client.destroy());
  const failed = new Promise((resolve) => server.once('error', resolve));
  server.write(Buffer.alloc(64 * 1024 * 1024));
  t.match(await failed, { code: /^(EPIPE|ECONNRESET)$/ });
});
