/**
 * node:http2 on the socket pair that carries a stream's plaintext (`http2Socket()`), with the record
 * layer of both directions in the kernel.
 */
import { http2Socket, ServerConfig, TlsAcceptor, type TlsStream } from '@node-aws-lc/core';
import { createHash, randomBytes } from 'node:crypto';
import http2, { type ClientHttp2Session } from 'node:http2';
import t, { type Test } from 'tap';
import { text } from 'node:stream/consumers';
import { connected, readAll, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { listener } from '../helpers/transports.js';
import { nextEvent } from '../helpers/wait.js';
import { bulk } from './bulk.js';
import { expectInstalls, noneLeft } from './statistics.js';

t.setTimeout(120_000);

const body = randomBytes(bulk);
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** An h2 server over such sockets, and node's own client of it. */
async function service(
  t: Test,
  handler: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
): Promise<{ session: ClientHttp2Session; stream: () => TlsStream }> {
  const server = http2.createServer(handler);
  const streams: TlsStream[] = [];
  const acceptor = new TlsAcceptor(
    new ServerConfig(await serverOptions({ ktls: 'require', ALPNProtocols: ['h2'] })),
  );
  const { port } = await listener(t, (socket) => {
    void acceptor.accept(socket).then((stream) => {
      streams.push(stream);
      t.teardown(() => stream.destroy());
      server.emit('connection', http2Socket(stream));
    });
  });
  const session = http2.connect(`https://localhost:${port}`, { ca: (await pki.root()).cert });
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  await nextEvent(session, 'connect');
  return { session, stream: () => streams[0]! };
}

t.test('requests, at once and one after another, small and large, both ways', async (t) => {
  await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
    const { session, stream } = await service(t, (request, response) => {
      if (request.method === 'GET') {
        response.end(body);
        return;
      }
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    });
    const get = async () => digest(await readAll(session.request({ ':path': '/' })));
    const post = (bytes: Buffer) => {
      const request = session.request({ ':path': '/', ':method': 'POST' });
      request.end(bytes);
      return text(request);
    };
    t.same(await Promise.all([get(), get(), post(body)]), Array(3).fill(digest(body)));
    for (let i = 0; i < 50; i++) await post(Buffer.from(`${i}`));
    t.equal(stream().ktlsActive, true);
    session.close();
    await nextEvent(stream(), 'close');
    t.equal(stream().closeNotifyReceived, true);
    t.equal(stream().bytesRead > body.length, true);
  });
  await noneLeft();
});

t.test(
  'a connection that is reset in the middle of a download ends the session, and nothing stays',
  async (t) => {
    const required = { ktls: 'require' as const, ALPNProtocols: ['h2'] };
    const ends = await connected(t, { server: required, client: required });
    const server = http2.createServer((_request, response) => {
      response.on('error', () => {});
      response.write(body);
    });
    server.emit('connection', http2Socket(ends.server));
    const session = http2.connect('https://localhost', {
      createConnection: () => http2Socket(ends.client),
    });
    session.on('error', () => {});
    const request = session.request({ ':path': '/' });
    request.on('error', () => {});
    await nextEvent(request, 'data');
    ends.server.on('error', () => {});
    const closed = [nextEvent(ends.server, 'close'), nextEvent(session, 'close')];
    ends.client.resetAndDestroy();
    await Promise.all(closed);
    t.equal(request.destroyed, true);
    await noneLeft();
  },
);

t.test('the end comes behind all that was written, with close_notify', async (t) => {
  await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
    const { client, server } = await connected(t, {
      server: { ktls: 'require' },
      client: { ktls: 'require' },
    });
    const near = http2Socket(client);
    const far = http2Socket(server);
    far.pipe(far);
    const echoed = readAll(near);
    near.end(body);
    t.equal(digest(await echoed), digest(body));
    for (const end of [client, server]) if (!end.closed) await nextEvent(end, 'close');
    t.equal(client.closeNotifyReceived, true);
    t.equal(server.closeNotifyReceived, true);
  });
  await noneLeft();
});

t.test('a connection that is reset is an error on the socket', async (t) => {
  const { client, server } = await connected(t, {
    server: { ktls: 'require' },
    client: { ktls: 'require' },
  });
  const socket = http2Socket(server);
  const failed = nextEvent(socket, 'error');
  client.resetAndDestroy();
  t.match(await failed, [{ code: 'ECONNRESET' }]);
  if (!server.closed) await nextEvent(server, 'close');
  await noneLeft();
});
