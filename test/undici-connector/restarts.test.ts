/**
 * Requests while their server comes and goes. By hand at full size:
 *
 *     REQUESTS=10000 RESTART_EVERY=1000 node test/dist/undici-connector/restarts.test.js
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { settledDescriptorCount } from '../helpers/descriptors.js';
import * as pki from '../helpers/pki.js';
import { issue } from '../helpers/certificate.js';
import { type Origin, type Protocol, startOrigin } from './origin.js';
import { type UndiciVersion, undicis } from './undicis.js';

const REQUESTS = Number(process.env['REQUESTS'] ?? 2000);
/** Milliseconds. */
const RESTART_EVERY = Number(process.env['RESTART_EVERY'] ?? 300);
const AT_ONCE = 40;

t.setTimeout(120_000 + REQUESTS * 200);

for (const version of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    const { name, skip } = version;
    const timeout = 60_000 + REQUESTS * 50;
    t.test(`${name} over ${protocol}`, { skip, timeout }, (t) => restarts(t, version, protocol));
  }
}

async function restarts(t: Test, version: UndiciVersion, protocol: Protocol): Promise<void> {
  const { Agent, Pool, request } = version.undici!;
  const { createConnector } = version.connector!;
  const allowH2 = protocol === 'h2';
  const { cert: ca } = await pki.root();
  const { key, chain: cert } = await pki.server();
  const { cert: clientCa } = await pki.clientRoot();
  const identities = [await pki.client(), await secondClient()];
  const names = ['Test Client', 'Second Client'];
  // A server that comes back knows the tickets that it gave out before.
  const ticketKeys = randomBytes(48);
  const tls = { key, cert, ca: clientCa, requestCert: true, ticketKeys };

  // What is opened once and for all is not counted.
  const first = await startOrigin({ protocol });
  const dispatcher = new Agent({ connect: createConnector({ ca, allowH2 }), allowH2 });
  await (await request(first.url, { dispatcher })).body.dump();
  await dispatcher.close();
  await first.close();
  const before = await settledDescriptorCount(0, 200);

  let origin: Origin = await startOrigin({ protocol, tls });
  const { port, url } = origin;
  const listen = { host: '127.0.0.1', port };
  let resumptions = 0;
  const pools = identities.map((identity) => {
    const connect = createConnector({ ca, key: identity.key, cert: identity.cert, allowH2 });
    return new Pool(url, { connect, allowH2, connections: 10 });
  });

  const state = { going: true };
  const restarting = (async () => {
    while (state.going) {
      await sleep(RESTART_EVERY);
      resumptions += origin.connections.filter(({ resumed }) => resumed).length;
      await origin.close();
      origin = await startOrigin({ protocol, tls, listen });
    }
  })();

  const calls = new Uint8Array(REQUESTS);
  let answered = 0;
  let mistaken = 0;
  let cutShort = 0;
  const codes = new Map<string, number>();
  const send = (i: number): Promise<void> =>
    new Promise((resolve) => {
      pools[i % 2]!.request({ method: 'GET', path: '/' }, (error, data) => {
        calls[i]!++;
        if (error !== null) {
          const { code = error.message } = error as NodeJS.ErrnoException;
          codes.set(code, (codes.get(code) ?? 0) + 1);
          // Or all of them would fail while the server is away.
          setTimeout(resolve, 20);
          return;
        }
        data.body.json().then(
          (answer) => {
            answered++;
            if ((answer as { client?: string }).client !== names[i % 2]) mistaken++;
            resolve();
          },
          () => {
            cutShort++;
            resolve();
          },
        );
      });
    });
  let next = 0;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (next < REQUESTS) {
      await send(next++);
    }
  });
  await Promise.all(lanes);
  state.going = false;
  await restarting;
  resumptions += origin.connections.filter(({ resumed }) => resumed).length;
  await Promise.all(pools.map((pool) => pool.close()));
  await origin.close();
  await sleep(50);

  t.ok(
    calls.every((count) => count === 1),
    'each was called back once',
  );
  const failed = [...codes.values()].reduce((sum, count) => sum + count, 0);
  t.equal(answered + cutShort + failed, REQUESTS, 'all of them came to an end');
  t.equal(mistaken, 0, 'and answered as the one who asked');
  t.ok(answered > 0, `${answered} of ${REQUESTS} were answered`);
  t.ok(resumptions > 0, `${resumptions} sessions were resumed`);
  t.comment(`${cutShort} cut short; failures: ${JSON.stringify(Object.fromEntries(codes))}`);
  for (const code of codes.keys()) t.match(code, /^(ECONN|EPIPE|UND_ERR_SOCKET|UND_ERR_INFO|HTTP)/);
  const after = await settledDescriptorCount(before);
  t.ok(after <= before, `descriptors: ${before} before, ${after} after`);
}

async function secondClient() {
  return issue({
    subject: 'CN=Second Client',
    issuer: await pki.clientRoot(),
    purposes: ['clientAuth'],
  });
}
