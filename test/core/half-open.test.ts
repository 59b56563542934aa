/** One direction ended, the other still in use (RFC 8446, section 6.1). */
import { ServerConfig, TlsAcceptor, type TlsStream } from '@node-aws-lc/core';
import net from 'node:net';
import t from 'tap';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected, readAll, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { duplexes } from '../helpers/transports.js';
import { nextEvent } from '../helpers/wait.js';

for (const kind of ['tcp', 'unix', 'duplex'] as const) {
  for (const first of ['client', 'server'] as const) {
    t.test(`the answer comes after the ${first} has ended, over ${kind}`, async (t) => {
      const ends = await connected(t, { transport: kind, handshake: { allowHalfOpen: true } });
      const other = first === 'client' ? ends.server : ends.client;
      ends[first].end('a question');
      t.equal((await readAll(copy(other))).toString(), 'a question');
      t.ok(other.closeNotifyReceived);
      await sleep(20);
      t.ok(other.writable, 'the other direction is still open');
      t.notOk(ends[first].destroyed);
      other.end('the answer');
      t.equal((await readAll(ends[first])).toString(), 'the answer');
      await closed(ends[first]);
      await closed(other);
    });
  }
}

t.test('the answer is as long as it likes', async (t) => {
  const { client, server } = await connected(t, { handshake: { allowHalfOpen: true } });
  const answer = Buffer.alloc(8_000_000, 'z');
  client.end();
  server.resume();
  await nextEvent(server, 'end');
  server.end(answer);
  t.ok((await readAll(client)).equals(answer));
});

t.test('without allowHalfOpen an end is answered with an end', async (t) => {
  const { client, server } = await connected(t, { handshake: { allowHalfOpen: false } });
  const ended = Promise.all([nextEvent(client, 'close'), nextEvent(server, 'close')]);
  client.resume().end();
  server.resume();
  await ended;
  t.ok(client.closeNotifyReceived);
  t.ok(server.closeNotifyReceived);
});

t.test('allowHalfOpen is the transport’s where nothing else is said', async (t) => {
  const listening = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await nextEvent(listening, 'listening');
  const { port } = listening.address() as net.AddressInfo;
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [server] = (await nextEvent(listening, 'connection')) as [net.Socket];
  listening.close();
  const ends = await connected(t, { transport: { client, server } });
  ends.client.end('a question');
  t.equal((await readAll(copy(ends.server))).toString(), 'a question');
  ends.server.end('the answer');
  t.equal((await readAll(ends.client)).toString(), 'the answer');
});

t.test('a half-open client of node:tls gets its answer', async (t) => {
  const under = duplexes(t);
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const ca = (await pki.root()).cert;
  const options = { socket: under.client, ca, host: 'localhost', allowHalfOpen: true };
  const client = tls.connect(options as tls.ConnectionOptions);
  const server = await acceptor.accept(under.server, { allowHalfOpen: true });
  client.end('a question');
  t.equal((await readAll(copy(server))).toString(), 'a question');
  server.end('the answer');
  t.equal((await readAll(client)).toString(), 'the answer');
});

/** Reading with an iterator destroys the stream at its end; this reads and leaves it be. */
function copy(stream: TlsStream) {
  return stream.iterator({ destroyOnReturn: false }) as unknown as Parameters<typeof readAll>[0];
}

async function closed(stream: TlsStream): Promise<void> {
  if (!stream.closed) await nextEvent(stream, 'close');
}
