import t from 'tap';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { Child } from '../helpers/children.js';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import { eventually } from '../helpers/wait.js';
import { listen, makeApp } from './app.js';
import { h1, rawTcp, untilClosed } from './clients.js';

const departingClients = path.join(__dirname, 'programs', 'departing-clients.js');

t.test('clients that go away in the middle of everything harm nobody', async (t) => {
  const app = await makeApp(t);
  const large = Buffer.alloc(500_000, 'large');
  app.get('/', async () => 'ok');
  app.get('/large', async () => large);
  app.get('/late', async () => {
    await sleep(10);
    return 'late';
  });
  const port = await listen(app);
  await h1(port);
  const before = descriptorCount();

  for (const protocol of ['http/1.1', 'h2'] as const) {
    const clients = new Child(t, process.execPath, [departingClients, String(port), protocol]);
    await clients.saw(/^done$/m);
    // Not waited for to end by itself: after this, Node's http2 client may spin at its exit.
    await clients.kill();
    t.match(await h1(port), { body: 'ok' }, `still serving after those of ${protocol}`);
  }
  await eventually('all connections to end', () => app.tls.stats().connections === 0);
  t.ok((await settledDescriptorCount(before)) <= before, 'no descriptor is left');
});

t.test(
  "what comes in one segment with the client's Finished can end the stream at once",
  async (t) => {
    const app = await makeApp(t);
    app.get('/', async () => 'ok');
    const port = await listen(app);
    const tails = {
      'a record that does not decrypt': Buffer.from(`1703030020${'07'.repeat(32)}`, 'hex'),
      'a record of a wrong type': Buffer.from('9903030001ff', 'hex'),
      'a FIN': Buffer.alloc(0),
    };
    for (const protocol of ['h2', 'http/1.1']) {
      for (const [what, tail] of Object.entries(tails)) {
        const tcp = await rawTcp(t, port);
        let flights = 0;
        const between = new Duplex({
          read() {},
          write(chunk: Buffer, _encoding, callback) {
            if (++flights === 1) tcp.write(chunk);
            else tcp.end(Buffer.concat([chunk, tail]));
            callback();
          },
        });
        tcp.on('data', (chunk) => between.push(chunk));
        const closed = untilClosed(tcp);
        const client = tls.connect({
          socket: between,
          ALPNProtocols: [protocol],
          rejectUnauthorized: false,
        });
        client.on('error', () => {});
        t.teardown(() => client.destroy());
        await closed;
        t.match(await h1(port), { body: 'ok' }, `${what}, ${protocol}`);
      }
    }
    await eventually('all connections to end', () => app.tls.stats().connections === 0);
  },
);
