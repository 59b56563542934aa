/**
 * Connections in every state that a process can end in, each made the way a user makes it and left
 * as it is.
 */
import {
  ClientConfig,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as pki from '../../helpers/pki.js';
import { memoryPair } from '../../helpers/memory-pair.js';

interface Under {
  client: net.Socket;
  server: net.Socket;
}

async function tcp(): Promise<Under> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  server.close();
  return { client, server: accepted };
}

async function configs(): Promise<[TlsAcceptor, TlsConnector]> {
  const { key, chain: cert } = await pki.server();
  const ca = (await pki.root()).cert;
  return [
    new TlsAcceptor(new ServerConfig({ key, cert })),
    new TlsConnector(new ClientConfig({ ca })),
  ];
}

async function pair(under: Under): Promise<{ client: TlsStream; server: TlsStream }> {
  const [acceptor, connector] = await configs();
  const options = { allowHalfOpen: true };
  const [client, server] = await Promise.all([
    connector.connect('localhost', under.client, options),
    acceptor.accept(under.server, options),
  ]);
  return { client, server };
}

/** A connection over TCP. */
export async function connectedPair(): Promise<{ client: TlsStream; server: TlsStream }> {
  return pair(await tcp());
}

/** What is kept alive, so that the garbage collector does not tidy up before the end. */
const kept: unknown[] = [];

/** Each brings a connection into the state of its name. */
export const states: Record<string, () => Promise<void>> = {
  async 'handshake begun'() {
    const [acceptor, connector] = await configs();
    const under = await tcp();
    void connector.connect('localhost', under.client).catch(() => {});
    kept.push(acceptor, under);
  },
  async 'handshake waited for'() {
    const [acceptor] = await configs();
    const under = await tcp();
    void acceptor.accept(under.server).catch(() => {});
    kept.push(under);
  },
  async 'verification in progress'() {
    const [acceptor] = await configs();
    const under = await tcp();
    const ca = (await pki.root()).cert;
    const checkServerIdentity = () => {
      leave?.();
      return undefined;
    };
    const connector = new TlsConnector(new ClientConfig({ ca, checkServerIdentity }));
    void acceptor.accept(under.server).catch(() => {});
    await connector.connect('localhost', under.client).catch(() => {});
  },
  async 'chains being verified'() {
    const [acceptor, connector] = await configs();
    // Some wait for a thread of the pool, which others keep busy.
    for (let i = 0; i < 6; i++) pbkdf2('', '', 200_000, 32, 'sha512', () => {});
    for (let i = 0; i < 8; i++) {
      const under = await tcp();
      void acceptor.accept(under.server).catch(() => {});
      void connector.connect('localhost', under.client).catch(() => {});
      kept.push(under);
    }
    await sleep(50);
  },
  async idle() {
    kept.push(await connectedPair());
  },
  async reading() {
    const { client, server } = await connectedPair();
    server.on('data', () => {});
    const write = (): void => {
      client.write(Buffer.alloc(50_000), () => setImmediate(write));
    };
    write();
  },
  async 'writing to nobody'() {
    const { client, server } = await connectedPair();
    client.write(Buffer.alloc(40_000_000));
    client.end();
    kept.push(client, server);
  },
  async 'sending a file to nobody'() {
    const { client, server } = await connectedPair();
    const fd = openSync(process.execPath, 'r');
    for (let i = 0; i < 10; i++) void client.sendFile(fd).catch(() => {});
    kept.push(client, server);
  },
  async 'sending files'() {
    const { client, server } = await connectedPair();
    const fd = openSync(process.execPath, 'r');
    server.on('data', () => {});
    const send = (): void => void client.sendFile(fd, { end: 3_000_000 }).then(send, () => {});
    send();
  },
  async 'half closed'() {
    const { client, server } = await connectedPair();
    client.end();
    await once(server.resume(), 'end');
    kept.push(client, server);
  },
  async destroyed() {
    const { client, server } = await connectedPair();
    client.destroy();
    kept.push(server);
  },
  async 'over a Duplex'() {
    const [client, server] = memoryPair() as [net.Socket, net.Socket];
    const ends = await pair({ client, server });
    ends.client.write(Buffer.alloc(1_000_000));
    kept.push(ends);
  },
  async 'inside another'() {
    const outer = await connectedPair();
    const inner = await pair(outer);
    inner.client.write(Buffer.alloc(1_000_000));
    kept.push(inner);
  },
  async 'in a callback'() {
    const { client, server } = await connectedPair();
    const arrived = new Promise<void>((resolve) => {
      server.once('data', () => {
        leave?.();
        resolve();
      });
    });
    client.write('now');
    await arrived;
  },
};

let leave: (() => void) | undefined;

/** What the states that end inside a callback of the stream's call there. */
export function leaveFromCallback(how: () => void): void {
  leave = how;
}
