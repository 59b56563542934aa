/** Two connected ends of each kind of transport that a TLS stream can stand on. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import type { Test } from 'tap';
import { memoryPair } from './memory-pair.js';

/** The kinds of transport. */
export type TransportKind = 'tcp' | 'unix' | 'duplex';

/** The two ends of one connection. */
export interface Transports<T extends Duplex = Duplex> {
  client: T;
  server: T;
}

/** A connected pair of the given kind, destroyed when the test ends. */
export async function transports(t: Test, kind: TransportKind): Promise<Transports> {
  if (kind === 'duplex') return duplexes(t);
  return kind === 'tcp' ? tcpPair(t) : unixPair(t);
}

/** A TCP connection over the loopback interface; `host` chooses the address family. */
export async function tcpPair(t: Test, host = '127.0.0.1'): Promise<Transports<net.Socket>> {
  return socketPair(t, { host, port: 0 });
}

/** A connection over a Unix socket. */
export async function unixPair(t: Test): Promise<Transports<net.Socket>> {
  const file = socketPath();
  t.teardown(() => rmSync(file, { force: true }));
  return socketPair(t, { path: file });
}

/** A path for a Unix socket: short enough for the kernel wherever the tests lie. */
export function socketPath(): string {
  const unique = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  return path.join(os.tmpdir(), `node-aws-lc-${unique}.sock`);
}

/** Both ends in this process' memory; no descriptor anywhere. */
export function duplexes(t: Test): Transports {
  const [client, server] = memoryPair();
  t.teardown(() => {
    client.destroy();
    server.destroy();
  });
  return { client, server };
}

/** A listener on a free loopback port, closed with its connections when the test ends. */
export async function listener(
  t: Test,
  onConnection: (socket: net.Socket) => void,
  host = '127.0.0.1',
): Promise<net.AddressInfo> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    onConnection(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return server.address() as net.AddressInfo;
}

async function socketPair(t: Test, address: net.ListenOptions): Promise<Transports<net.Socket>> {
  const listening = net.createServer();
  listening.listen(address);
  await once(listening, 'listening');
  const bound = listening.address();
  const target: net.NetConnectOpts =
    typeof bound === 'string' ? { path: bound } : { host: address.host, port: bound!.port };
  const client = net.connect(target);
  const [[server]] = (await Promise.all([
    once(listening, 'connection'),
    once(client, 'connect'),
  ])) as [[net.Socket], unknown];
  listening.close();
  t.teardown(() => {
    client.destroy();
    server.destroy();
  });
  return { client, server };
}
