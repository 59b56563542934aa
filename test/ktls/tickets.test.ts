/** Sessions and kernel TLS together: tickets from a server in the kernel, to a client in it. */
import {
  type ClientConfigOptions,
  ClientConfig,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOptions, sent, serverOptions } from '../helpers/handshake.js';
import { type Transports, tcpPair } from '../helpers/transports.js';
import { nextEvent, within } from '../helpers/wait.js';
import { relayed } from './relay.js';
import { expectInstalls } from './statistics.js';

/** A server that knows its own tickets again, all of it in the kernel. */
async function service(options: ClientConfigOptions = {}) {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions({ ktls: 'require' })));
  const client = await clientOptions({ ktls: 'require', ...options });
  const connector = new TlsConnector(new ClientConfig(client));
  return async (t: Test, under: Transports<net.Socket>, session?: Buffer) => {
    const accepted = acceptor.accept(under.server);
    const client = await connector.connect('localhost', under.client, { session });
    const tickets: Buffer[] = [];
    client.on('session', (ticket: Buffer) => tickets.push(ticket));
    const server = await accepted;
    t.teardown(() => [client, server].forEach((end) => end.destroy()));
    return { client, server, tickets };
  };
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  t.test(`resumption with the kernel on both sides, again and again, ${maxVersion}`, async (t) => {
    const connect = await service({ maxVersion });
    let session: Buffer | undefined;
    for (let time = 0; time < 4; time++) {
      await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
        const { client, server } = await connect(t, await tcpPair(t), session);
        t.ok(client.ktlsActive && server.ktlsActive);
        t.equal(client.negotiated.resumed, time > 0);
        t.equal(server.negotiated.resumed, time > 0);
        t.equal(client.authorized, true);
        t.equal(await sent(server, client, 'down'), 'down');
        t.equal(await sent(client, server, 'up'), 'up');
        session = client.getSession();
        t.ok(Buffer.isBuffer(session));
      });
    }
  });
}

t.test('tickets come before the data, though nobody asks for either', async (t) => {
  const connect = await service();
  const { client, tickets } = await connect(t, await tcpPair(t));
  await nextEvent(client, 'session');
  t.ok(client.ktlsActive);
  t.ok(tickets.length > 0);
  t.equal(client.readableLength, 0);
});

t.test('tickets that come long after the install, between data', async (t) => {
  const connect = await service();
  const under = await relayed(t);
  // The client's second flight ends its handshake; what the server sends after it waits.
  under.up.onFlight = (flight) => flight === 2 && under.down.hold();
  const { client, server, tickets } = await connect(t, under);
  t.ok(client.ktlsActive && server.ktlsActive, 'installed before there is a ticket');
  await under.down.holds(100);
  await sleep(100);
  t.same(tickets, []);
  const arrived = nextEvent(client, 'session');
  under.down.release();
  const [session] = (await arrived) as [Buffer];
  t.equal(await sent(server, client, 'still here'), 'still here');
  const { client: again } = await connect(t, await tcpPair(t), session);
  t.equal(again.negotiated.resumed, true);
});

t.test('a ticket that is cut in the middle of its record', async (t) => {
  const connect = await service();
  const under = await relayed(t);
  under.up.onFlight = (flight) => flight === 2 && under.down.hold();
  const { client, server } = await connect(t, under);
  await under.down.holds(100);
  const arrived = nextEvent(client, 'session');
  while (under.down.held.length > 0) {
    under.down.release(37);
    await sleep(2);
  }
  under.down.release();
  await arrived;
  t.equal(await sent(server, client, 'whole again'), 'whole again');
});

t.test('a client without kernel receiving gets its tickets as well', async (t) => {
  for (const ktls of [
    { tx: 'require', rx: 'off' },
    { tx: 'off', rx: 'require' },
  ] as const) {
    const connect = await service({ ktls });
    const { client, server } = await connect(t, await tcpPair(t));
    const [session] = (await nextEvent(client, 'session')) as [Buffer];
    t.equal(await sent(server, client, 'hello'), 'hello');
    const { client: again } = await connect(t, await tcpPair(t), session);
    t.equal(again.negotiated.resumed, true);
    t.match(again.ktls, { tx: ktls.tx === 'require', rx: ktls.rx === 'require' });
  }
});

t.test('tickets of node:tls, as many as it sends', async (t) => {
  const { key, cert } = await serverOptions();
  const server = tls.createServer({ key: key as string, cert: cert as string }, (socket) => {
    socket.on('error', () => {}).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const connector = new TlsConnector(new ClientConfig(await clientOptions({ ktls: 'require' })));
  const dial = async (session?: Buffer) => {
    const client = await connector.connect('localhost', net.connect(port, '127.0.0.1'), {
      session,
    });
    t.teardown(() => client.destroy());
    return client;
  };
  const client = await dial();
  const tickets = await collected(client, 2);
  t.equal(await sent(client, client, 'echo'), 'echo');
  for (const ticket of tickets) {
    const again = await dial(ticket);
    t.equal(again.negotiated.resumed, true);
    t.ok(again.ktlsActive);
    t.equal(await sent(again, again, 'echo'), 'echo');
  }
});

function collected(client: TlsStream, count: number): Promise<Buffer[]> {
  const tickets: Buffer[] = [];
  const all = new Promise<Buffer[]>((resolve) => {
    client.on('session', (ticket: Buffer) => {
      tickets.push(ticket);
      if (tickets.length === count) resolve(tickets);
    });
  });
  return within(`${count} tickets`, all);
}
