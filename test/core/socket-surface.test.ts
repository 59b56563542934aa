/** What a stream offers of net.Socket: Node's own http, and everybody's libraries, call it blindly. */
import { TlsStream } from '@node-aws-lc/core';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import t from 'tap';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected, readAll, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { tcpPair } from '../helpers/transports.js';
import { eventually, nextEvent } from '../helpers/wait.js';

t.test('a stream is a net.Socket that is open and encrypted', async (t) => {
  const { client, server } = await connected(t);
  for (const end of [client, server]) {
    t.ok(end instanceof net.Socket);
    t.ok(end instanceof TlsStream);
    t.equal(end.encrypted, true);
    t.equal(end.connecting, false);
    t.equal(end.pending, false);
    t.equal(end.destroyed, false);
    t.equal(end.readyState, 'open');
    t.ok(end.readable && end.writable);
  }
});

t.test('setTimeout fires once the connection has been idle, and not before', async (t) => {
  const { client, server } = await connected(t);
  let idle = 0;
  client.setTimeout(500, () => idle++);
  t.equal(client.timeout, 500);
  for (let i = 0; i < 8; i++) {
    await sleep(100);
    await sent(i % 2 ? client : server, i % 2 ? server : client, 'busy');
  }
  t.equal(idle, 0, 'traffic in either direction keeps it away');
  await nextEvent(client, 'timeout');
  t.equal(idle, 1);
  t.notOk(client.destroyed, 'and it is only an event');
  client.setTimeout(0);
  await sleep(600);
  t.equal(idle, 1, 'setTimeout(0) turns it off');
});

t.test('setTimeout is over when the connection is', async (t) => {
  const { client } = await connected(t);
  let idle = 0;
  client.setTimeout(200, () => idle++);
  client.destroy();
  await sleep(500);
  t.equal(idle, 0);
});

t.test('setTimeout keeps quiet while a large write is being taken slowly', async (t) => {
  const { client, server } = await connected(t);
  let idle = 0;
  client.setTimeout(500, () => idle++);
  client.write(Buffer.alloc(48_000_000));
  client.end();
  let received = 0;
  server.on('data', (chunk: Buffer) => {
    received += chunk.length;
    server.pause();
    setTimeout(() => server.resume(), 2);
  });
  await nextEvent(server, 'end', 30_000);
  t.equal(received, 48_000_000);
  t.equal(idle, 0);
});

t.test('setKeepAlive reaches the socket', async (t) => {
  const { client } = await connected(t);
  t.notOk(keepAliveTimer(client), 'off at first');
  t.equal(client.setKeepAlive(true, 10_000), client);
  await eventually('the kernel’s timer to run', () => keepAliveTimer(client));
  client.setKeepAlive(false);
  await eventually('the kernel’s timer to stop', () => !keepAliveTimer(client));
});

t.test('setters return the stream on every transport', async (t) => {
  for (const transport of ['tcp', 'unix', 'duplex'] as const) {
    const { client } = await connected(t, { transport });
    t.equal(client.setNoDelay(), client);
    t.equal(client.setNoDelay(false), client);
    t.equal(client.setKeepAlive(true, 1000), client);
    t.equal(client.setTimeout(0), client);
    t.equal(client.ref(), client);
    t.equal(client.unref(), client);
    client.ref();
  }
});

t.test('addresses are those of the TCP connection', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const under = await tcpPair(t, host);
    const names = ['Address', 'Family', 'Port'] as const;
    const expected = names.map((name) => [
      under.client[`local${name}`],
      under.client[`remote${name}`],
    ]);
    const { client, server } = await connected(t, { transport: under });
    t.same(
      names.map((name) => [client[`local${name}`], client[`remote${name}`]]),
      expected,
    );
    t.same(
      names.map((name) => [server[`remote${name}`], server[`local${name}`]]),
      expected,
    );
    t.same(client.address(), {
      address: host,
      family: host === '::1' ? 'IPv6' : 'IPv4',
      port: client.localPort,
    });
    const port = client.remotePort;
    const closed = nextEvent(client, 'close').then(() => client.remotePort);
    client.destroy();
    t.equal(await closed, port, 'still known when it closes, for the log');
  }
});

t.test('a Unix socket and a Duplex have no addresses and say so quietly', async (t) => {
  for (const transport of ['unix', 'duplex'] as const) {
    const { client, server } = await connected(t, { transport });
    for (const end of [client, server]) {
      t.equal(end.remoteAddress, undefined);
      t.equal(end.remotePort, undefined);
      t.equal(end.localAddress, undefined);
      t.same(end.address(), {});
    }
  }
});

t.test('byte counters count as node:tls’s do', async (t) => {
  const service = await tlsServer(t);
  const ca = (await pki.root()).cert;
  const theirs = tls.connect({ port: service.port, host: 'localhost', ca });
  t.teardown(() => theirs.destroy());
  await nextEvent(theirs, 'secureConnect');
  t.equal(await sent(theirs, theirs, 'x'.repeat(1234)), 'x'.repeat(1234));
  const { client } = await connected(t, {});
  const ours = await service.accepted();
  t.equal(ours.bytesRead, theirs.bytesWritten);
  t.equal(ours.bytesWritten, theirs.bytesRead);
  t.equal(client.bytesWritten, 0);
  await nextEvent(ours.destroy(), 'close');
  t.equal(ours.bytesRead, 1234, 'and are kept');
});

t.test('destroySoon sends what is waiting before it closes', async (t) => {
  const { client, server } = await connected(t);
  const data = Buffer.alloc(3_000_000, 'd');
  client.write(data);
  client.destroySoon();
  t.ok((await readAll(server)).equals(data));
  t.ok(server.closeNotifyReceived);
});

t.test('readyState follows the two directions', async (t) => {
  const { client, server } = await connected(t, { handshake: { allowHalfOpen: true } });
  const ended = nextEvent(server.resume(), 'end');
  client.end();
  await ended;
  t.equal(server.readyState, 'writeOnly');
  t.equal(client.readyState, 'readOnly');
  await nextEvent(server.destroy(), 'close');
  t.equal(server.readyState, 'closed');
});

t.test('pause, resume, pipe and setEncoding work as on any socket', async (t) => {
  const { client, server } = await connected(t);
  client.pipe(client);
  server.setEncoding('utf8');
  server.write('grüße ');
  server.end('zurück');
  let text = '';
  for await (const chunk of server) text += chunk;
  t.equal(text, 'grüße zurück');
});

/** Whether the kernel runs the keep-alive timer of this TCP connection (proc_net_tcp: timer 2). */
function keepAliveTimer(stream: TlsStream): boolean {
  const ports = [stream.localPort!, stream.remotePort!].map((port) =>
    port.toString(16).toUpperCase().padStart(4, '0'),
  );
  const [local, remote] = ports.map((port) => new RegExp(`:${port}$`));
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const line = lines
    .map((text) => text.trim().split(/\s+/))
    .find(([, from, to]) => local!.test(from ?? '') && remote!.test(to ?? ''));
  return line?.[5]?.startsWith('02:') ?? false;
}
