/** `http:` origins: refused, unless asked for. */
import { once } from 'node:events';
import * as http from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { undicis } from './undicis.js';

for (const { name, undici, skip } of undicis) {
  t.test(name, { skip }, async (t) => {
    const { Agent, Client, fetch, request } = undici!;

    t.test('an http: origin is refused before anything is sent', async (t) => {
      const { port, connections } = await startPlainServer(t);
      const dispatcher = new Agent({ connect: createConnector() });
      t.teardown(() => dispatcher.destroy());
      const url = `http://localhost:${port}/`;
      await t.rejects(request(url, { dispatcher }), { code: 'ERR_AWS_LC_CLEARTEXT' });
      await t.rejects(request(url, { dispatcher }), { code: 'ERR_AWS_LC_CLEARTEXT' });
      await t.rejects(fetch(url, { dispatcher }), { cause: { code: 'ERR_AWS_LC_CLEARTEXT' } });
      t.equal(connections(), 0);
    });

    t.test('allowCleartext lets it through', async (t) => {
      const { port } = await startPlainServer(t);
      const dispatcher = new Agent({ connect: createConnector({ allowCleartext: true }) });
      t.teardown(() => dispatcher.destroy());
      const { body } = await request(`http://localhost:${port}/`, { dispatcher });
      t.equal(await body.text(), 'in the clear');
    });

    t.test('allowCleartext over the Unix socket of the client', async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'undici-connector-'));
      t.teardown(() => rm(folder, { recursive: true }));
      const socketPath = join(folder, 'socket');
      await startPlainServer(t, { path: socketPath });
      const connect = createConnector({ allowCleartext: true });
      const client = new Client('http://localhost', { socketPath, connect });
      t.teardown(() => client.destroy());
      const { body } = await client.request({ path: '/', method: 'GET' });
      t.equal(await body.text(), 'in the clear');
    });
  });
}

async function startPlainServer(
  t: tap.Test,
  listen: ListenOptions = { host: '127.0.0.1', port: 0 },
) {
  let connections = 0;
  const server = http.createServer((_request, response) => response.end('in the clear'));
  server.on('connection', () => connections++);
  server.listen(listen);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
}
