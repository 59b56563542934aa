/** Connections over time: servers that come back, processes that end, descriptors that stay. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { root, selfSigned } from '../helpers/pki.js';
import { type Protocol, startOrigin } from './origin.js';
import { type UndiciVersion, undicis } from './undicis.js';

const run = promisify(execFile);

for (const version of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    const { skip } = version;
    t.test(`${version.name} over ${protocol}`, { skip }, (t) => lifecycle(t, version, protocol));
  }
}

async function lifecycle(t: tap.Test, version: UndiciVersion, protocol: Protocol): Promise<void> {
  const { Agent, errors, request } = version.undici!;
  const { cert: ca } = await root();
  const allowH2 = protocol === 'h2';

  t.test('requests go on after the server was restarted', async (t) => {
    const dispatcher = new Agent({ connect: createConnector({ ca, allowH2 }), allowH2 });
    t.teardown(() => dispatcher.destroy());
    let origin = await startOrigin({ protocol });
    const { port, url } = origin;
    for (let i = 0; i < 5; i++) {
      const { statusCode, body } = await request(url, { dispatcher });
      await body.dump();
      t.equal(statusCode, 200);
      await origin.close();
      const down = request(url, { dispatcher });
      await t.rejects(down, { code: /^(ECONNREFUSED|ECONNRESET|EPIPE|UND_ERR_SOCKET)$/ });
      // What undici hears last about the old connection, it takes out on the request that waits.
      await sleep(20);
      origin = await startOrigin({ protocol, listen: { host: '127.0.0.1', port } });
    }
    await origin.close();
  });

  t.test('a request whose connection is lost fails', async (t) => {
    const origin = await startOrigin({ protocol });
    const dispatcher = new Agent({ connect: createConnector({ ca, allowH2 }), allowH2 });
    t.teardown(() => dispatcher.destroy());
    const lost = request(`${origin.url}/silence`, { dispatcher });
    const failed = t.rejects(lost, errors.SocketError);
    while (origin.connections.length === 0) {
      await sleep(5);
    }
    await sleep(50);
    await origin.close();
    await failed;
  });

  t.test('no descriptor stays behind', async (t) => {
    const origin = await startOrigin({ protocol });
    const { key, cert } = await selfSigned();
    const untrusted = await startOrigin({ protocol, tls: { key, cert } });
    untrusted.server.on('tlsClientError', () => {});
    t.teardown(() => Promise.all([origin.close(), untrusted.close()]));

    const round = async () => {
      const dispatcher = new Agent({ connect: createConnector({ ca, allowH2 }), allowH2 });
      const { body } = await request(origin.url, { dispatcher });
      await body.dump();
      await t.rejects(request(untrusted.url, { dispatcher }), {
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
      await dispatcher.close();
    };
    await round();
    await sleep(200);
    const before = await openDescriptors();
    for (let i = 0; i < 30; i++) {
      await round();
    }
    const after = await settled(openDescriptors, before);
    t.ok(after <= before, `${before} before, ${after} after`);
  });

  t.test('an idle connection keeps no process alive', async (t) => {
    const origin = await startOrigin({ protocol });
    t.teardown(() => origin.close());
    const script = `
      const { Agent, request } = require('${version.packageName}');
      const { createConnector } = require('@node-aws-lc/undici-connector');
      const { CA: ca, URL: url } = process.env;
      const allowH2 = ${allowH2};
      const connect = createConnector({ ca, allowH2 });
      const dispatcher = new Agent({ keepAliveTimeout: 60_000, allowH2, connect });
      request(url + '/pattern?length=100000', { dispatcher })
        .then(({ body }) => body.text())
        .then(({ length }) => console.log(length > 0));`;
    const env = { ...process.env, CA: ca, URL: origin.url };
    const options = { cwd: __dirname, env, timeout: 20_000 };
    const { stdout } = await run(process.execPath, ['-e', script], options);
    t.equal(stdout.trim(), 'true');
  });
}

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

/** What `measure` says once it says no more than `limit`, or after two seconds. */
async function settled(measure: () => Promise<number>, limit: number): Promise<number> {
  let value = await measure();
  for (let i = 0; i < 40 && value > limit; i++) {
    await sleep(50);
    value = await measure();
  }
  return value;
}
