import t, { type Test } from 'tap';
import http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls, { type TLSSocket } from 'node:tls';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import { eventually } from '../helpers/wait.js';
import { listen, makeApp } from './app.js';
import { h1, rawTcp, rawTls, untilClosed } from './clients.js';

/** The ways in which a client can go away, at any moment. */
const departures: ((socket: TLSSocket) => void)[] = [
  (socket) => socket.destroy(),
  (socket) => socket.end(),
  (socket) => void socket.end().destroySoon(),
];

function requestOverH1(socket: TLSSocket): void {
  socket.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\nGET /late HTTP/1.1\r\n');
  if (Math.random() < 0.5) socket.write('Host: localhost\r\n\r\n');
  if (Math.random() < 0.5) socket.resume();
}

function requestOverH2(socket: TLSSocket): void {
  const session = http2.connect('https://localhost', { createConnection: () => socket });
  session.on('error', () => {});
  for (const path of ['/large', '/late', '/large']) {
    const stream = session.request({ ':path': path });
    stream.on('error', () => {});
    if (Math.random() < 0.5) stream.resume();
    if (Math.random() < 0.2) stream.close(http2.constants.NGHTTP2_CANCEL);
  }
  if (Math.random() < 0.3) session.close();
}

async function comeAndGo(t: Test, port: number, protocol: 'h2' | 'http/1.1'): Promise<void> {
  const tcp = await rawTcp(t, port);
  const socket = await rawTls(t, port, { socket: tcp, ALPNProtocols: [protocol] });
  (protocol === 'h2' ? requestOverH2 : requestOverH1)(socket);
  await sleep(Math.random() * 30);
  if (Math.random() < 0.3) tcp.resetAndDestroy();
  else departures[Math.floor(Math.random() * departures.length)]!(socket);
  await sleep(20);
  tcp.destroy();
}

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
    for (let round = 0; round < 8; round++) {
      await Promise.all(Array.from({ length: 20 }, () => comeAndGo(t, port, protocol)));
    }
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
