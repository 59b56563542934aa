/**
 * New certificates under load, in each way in which they are written.
 *
 * RELOADS says how often, each way; three by default.
 */
import { watchCertificates } from '@node-aws-lc/core';
import https from 'node:https';
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { layouts } from '../helpers/certificate-files.js';
import { run } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';
import { eventually, nextEvent } from '../helpers/wait.js';
import { listen, makeApp } from './app.js';

const reloads = Number(process.env['RELOADS'] ?? 3);
const skip = missing('h2load', 'nghttp2-client');

/** Handshakes by node:tls, one after the other; every third resumes. */
async function handshakes(port: number, ca: string, seen: Set<string>, stop: () => boolean) {
  let [count, resumed] = [0, 0];
  let session: Buffer | undefined;
  while (!stop()) {
    const options = { port, host: '127.0.0.1', ca, servername: 'localhost' };
    const socket = tls.connect({ ...options, session: count % 3 === 2 ? session : undefined });
    socket.on('session', (ticket) => (session = ticket));
    await nextEvent(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await nextEvent(socket, 'data');
    if (socket.isSessionReused()) resumed++;
    else seen.add(socket.getPeerX509Certificate()!.serialNumber);
    socket.destroy();
    count++;
  }
  return { count, resumed };
}

/** h2load again and again: its handshakes and streams must all succeed. */
async function h2load(t: Test, port: number, stop: () => boolean) {
  let runs = 0;
  while (!stop()) {
    const args = ['-n', '200', '-c', '20', '-m', '5', `https://127.0.0.1:${port}/`];
    const { stdout } = await run(t, 'h2load', args);
    const done = /200 succeeded, 0 failed, 0 errored, 0 timeout/.test(stdout);
    if (!done) return t.fail(`h2load had failures:\n${stdout}`);
    runs++;
  }
  return t.ok(runs > 0, `h2load ran ${runs} times`);
}

for (const [name, make] of Object.entries(layouts)) {
  t.test(
    `${reloads} certificates written by ${name} under load`,
    { skip, timeout: 30_000 + reloads * 2_000 },
    async (t) => {
      const fresh = () => pki.serverFor(['dns:localhost', 'ip:127.0.0.1']);
      const { files, write } = make(t.testdir());
      await write(await fresh());
      const watcher = watchCertificates(files);
      t.teardown(() => watcher.close());
      const errors: Error[] = [];
      watcher.on('error', (error) => errors.push(error));
      const app = await makeApp(t, { tls: watcher.current });
      watcher.on('change', (pair) => app.tls.setSecureContext(pair));
      app.get('/', async () => 'ok');
      const port = await listen(app);

      const ca = (await pki.root()).cert;
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
      t.teardown(() => agent.destroy());
      const sockets = new Set<TLSSocket>();
      const ask = () =>
        new Promise<number>((resolve, reject) => {
          const request = https.get({ port, host: '127.0.0.1', agent }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode!));
          });
          request.on('error', reject).on('socket', (socket) => sockets.add(socket as TLSSocket));
        });

      let stopped = false;
      const stop = () => stopped;
      const seen = new Set<string>();
      const load = Promise.all([handshakes(port, ca, seen, stop), h2load(t, port, stop)]);
      load.catch(() => {});
      let slowest = 0;
      for (let i = 0; i < reloads; i++) {
        const next = await fresh();
        await write(next);
        const written = Date.now();
        await eventually('the new certificate on the wire', () => seen.has(next.x509.serialNumber));
        slowest = Math.max(slowest, Date.now() - written);
        t.equal(await ask(), 200);
      }
      stopped = true;
      const [{ count, resumed }] = await load;
      t.ok(slowest < 2000, `the slowest took ${slowest} ms on a machine under load`);
      t.ok(resumed > 0, `${resumed} of ${count} resumed`);
      t.equal(sockets.size, 1, 'the keep-alive connection lived through all of it');
      t.same(errors, []);
      t.same(Object.keys(app.tls.stats().failures), [], 'no failed handshake');
      const { serialNumber } = new X509Certificate(watcher.current.cert);
      t.ok(seen.has(serialNumber));
    },
  );
}
