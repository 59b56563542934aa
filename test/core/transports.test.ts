/** What TLS can stand on, and the states in which a transport may be handed over. */
import {
  ClientConfig,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOptions, connected, readAll, sent, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { duplexes, tcpPair, transports } from '../helpers/transports.js';
import { eventually, nextEvent, rejection, within } from '../helpers/wait.js';

const acceptor = async () => new TlsAcceptor(new ServerConfig(await serverOptions()));
const connector = async () => new TlsConnector(new ClientConfig(await clientOptions()));

/** Destroys a stream with the test. */
function owned(t: Test, stream: TlsStream): TlsStream {
  t.teardown(() => stream.destroy());
  return stream;
}

for (const transport of ['tcp', 'unix', 'duplex'] as const) {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.test(`a round trip over ${transport}, ${maxVersion}`, async (t) => {
      const { client, server } = await connected(t, { transport, server: { maxVersion } });
      t.equal(await sent(client, server, 'there'), 'there');
      t.equal(await sent(server, client, 'and back'), 'and back');
      client.end();
      t.equal((await readAll(server)).length, 0);
    });
  }

  t.test(
    `bytes that were read to look at the protocol and put back, over ${transport}`,
    async (t) => {
      const under = await transports(t, transport);
      const client = (await connector()).connect('localhost', under.client);
      const [first] = (await nextEvent(under.server, 'data')) as [Buffer];
      t.equal(first[0], 22, 'a handshake record');
      under.server.pause();
      under.server.unshift(first);
      const server = owned(t, await (await acceptor()).accept(under.server));
      t.equal(await sent(owned(t, await client), server, 'there'), 'there');
    },
  );

  t.test(`bytes that wait in a transport nobody has read, over ${transport}`, async (t) => {
    const under = await transports(t, transport);
    const client = (await connector()).connect('localhost', under.client);
    under.server.on('readable', () => {});
    await sleep(50);
    under.server.removeAllListeners('readable');
    const server = owned(t, await (await acceptor()).accept(under.server));
    t.equal(await sent(owned(t, await client), server, 'there'), 'there');
  });
}

t.test('a few bytes of the hello put back, the rest still to come', async (t) => {
  const under = await tcpPair(t);
  const tunnel = duplexes(t);
  const client = (await connector()).connect('localhost', tunnel.client);
  await nextEvent(tunnel.server, 'readable');
  const hello = tunnel.server.read(tunnel.server.readableLength) as Buffer;
  under.client.write(hello.subarray(0, 3));
  const [first] = (await nextEvent(under.server, 'data')) as [Buffer];
  under.server.pause();
  under.server.unshift(first);
  const accepted = (await acceptor()).accept(under.server);
  under.client.write(hello.subarray(3));
  under.client.pipe(tunnel.server).pipe(under.client);
  const server = owned(t, await accepted);
  t.equal(await sent(owned(t, await client), server, 'there'), 'there');
});

t.test('a socket that is still connecting is waited for', async (t) => {
  const { port } = await tlsServer(t);
  for (const host of ['127.0.0.1', 'localhost']) {
    const transport = net.connect({ port, host, family: 4 });
    t.ok(transport.connecting);
    const client = owned(t, await (await connector()).connect('localhost', transport));
    t.equal(await sent(client, client, 'there'), 'there');
  }
});

t.test('a socket that fails to connect is the error of connect', async (t) => {
  const { port } = await new Promise<net.AddressInfo>((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const address = server.address() as net.AddressInfo;
      server.close(() => resolve(address));
    });
  });
  const transport = net.connect(port, '127.0.0.1');
  const error = await rejection((await connector()).connect('localhost', transport));
  t.match(error, { code: 'ECONNREFUSED', port });
});

t.test('what was written before TLS leaves first, as STARTTLS needs it', async (t) => {
  const under = await tcpPair(t);
  under.client.write('STARTTLS\r\n');
  const client = (await connector()).connect('localhost', under.client);
  const [command] = (await nextEvent(under.server, 'data')) as [Buffer];
  under.server.pause();
  t.equal(command.subarray(0, 10).toString(), 'STARTTLS\r\n');
  if (command.length > 10) under.server.unshift(command.subarray(10));
  const server = owned(t, await (await acceptor()).accept(under.server));
  t.equal(await sent(owned(t, await client), server, 'there'), 'there');
});

t.test('TLS inside TLS, ours in ours and ours in node:tls', async (t) => {
  const outer = await connected(t);
  const inner = await connected(t, { transport: outer });
  const large = 'x'.repeat(300_000);
  t.equal(await sent(inner.client, inner.server, large), large);
  const third = await connected(t, { transport: inner });
  t.equal(await sent(third.server, third.client, large), large);

  const { key, chain: cert } = await pki.server();
  const ca = (await pki.root()).cert;
  const theirs = tls.createServer({ key, cert }).listen(0, '127.0.0.1');
  t.teardown(() => theirs.close());
  await nextEvent(theirs, 'listening');
  const { port } = theirs.address() as net.AddressInfo;
  const tunnel = tls.connect({ port, host: 'localhost', ca });
  const [far] = (await nextEvent(theirs, 'secureConnection')) as [tls.TLSSocket];
  t.teardown(() => [tunnel, far].forEach((socket) => socket.destroy()));
  const ours = await connected(t, { transport: { client: tunnel, server: far } });
  t.equal(await sent(ours.client, ours.server, large), large);
  t.equal(ours.client.remotePort, port, 'the addresses are those underneath');
});

t.test('a transport that is closed, ended or no transport', async (t) => {
  const accept = await acceptor();
  const { server } = await tcpPair(t);
  await nextEvent(server.destroy(), 'close');
  t.match(await rejection(accept.accept(server)), { code: 'ERR_AWS_LC_TRANSPORT_CLOSED' });
  const memory = duplexes(t);
  memory.server.end();
  t.match(await rejection(accept.accept(memory.server)), { code: 'ERR_AWS_LC_TRANSPORT_CLOSED' });
  t.ok(memory.server.destroyed);
  for (const nonsense of [undefined, null, 42, {}, 'socket'] as never[]) {
    t.match(await rejection(accept.accept(nonsense)), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});

t.test('a transport that was handed over already is refused the second time', async (t) => {
  const under = await tcpPair(t);
  const ends = await connected(t, { transport: under });
  const error = await rejection((await acceptor()).accept(under.server));
  t.match(error.code, /^ERR_AWS_LC_TRANSPORT/);
  t.equal(await sent(ends.client, ends.server, 'unharmed'), 'unharmed');
});

t.test('the listening server counts the connection until it is closed', async (t) => {
  const accept = await acceptor();
  const server = net.createServer((socket) => {
    void accept.accept(socket).then((stream) => stream.resume());
  });
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = await (await connector()).connect('localhost', net.connect(port, '127.0.0.1'));
  t.equal(await connections(server), 1);
  let closed = false;
  server.close(() => (closed = true));
  await sleep(50);
  t.notOk(closed, 'close waits for the connection');
  client.destroy();
  await eventually('the server to close', () => closed);
  t.equal(await connections(server), 0);
});

t.test('maxConnections counts TLS connections', async (t) => {
  const accept = await acceptor();
  let dropped = 0;
  const server = net.createServer((socket) => void accept.accept(socket).catch(() => {}));
  server.maxConnections = 1;
  server.on('drop', () => dropped++).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await nextEvent(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const connect = await connector();
  const dial = () => connect.connect('localhost', net.connect(port, '127.0.0.1'));
  const first = owned(t, await dial());
  await rejection(dial());
  t.equal(dropped, 1);
  first.destroy();
  await within(
    'the place to be free',
    (async () => {
      while ((await connections(server)) > 0) await sleep(5);
    })(),
  );
  owned(t, await dial());
});

t.test('a transport that brings one byte at a time, and one that brings all at once', async (t) => {
  for (const sizes of [1, 100_000]) {
    const near = duplexes(t);
    const far = duplexes(t);
    rechunk(near.server, far.server, sizes);
    rechunk(far.server, near.server, sizes);
    const transport = { client: near.client, server: far.client };
    const { client, server } = await connected(t, { transport });
    const text = 'y'.repeat(20_000);
    t.equal(await sent(client, server, text), text);
    t.equal(await sent(server, client, text), text);
  }
});

/** Passes bytes on in pieces of at most `size`, gathering what came in one turn. */
function rechunk(from: NodeJS.ReadableStream, to: NodeJS.WritableStream, size: number): void {
  const through = new PassThrough({ highWaterMark: 1_000_000 });
  from.pipe(through).on('readable', () => {
    setImmediate(() => {
      const all = through.read(through.readableLength) as Buffer | null;
      for (let at = 0; all && at < all.length; at += size) to.write(all.subarray(at, at + size));
    });
  });
}

function connections(server: net.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
