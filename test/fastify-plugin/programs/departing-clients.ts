/**
 * `node departing-clients.js PORT PROTOCOL`: 160 clients, 20 at a time, that go away in the middle of
 * everything; prints `done`.
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls, { type TLSSocket } from 'node:tls';

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

async function comeAndGo(port: number, protocol: string): Promise<void> {
  const tcp = net.connect(port, '127.0.0.1');
  tcp.on('error', () => {});
  const socket = tls.connect({ socket: tcp, ALPNProtocols: [protocol], rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  (protocol === 'h2' ? requestOverH2 : requestOverH1)(socket);
  await sleep(Math.random() * 30);
  if (Math.random() < 0.3) tcp.resetAndDestroy();
  else departures[Math.floor(Math.random() * departures.length)]!(socket);
  await sleep(20);
  tcp.destroy();
}

async function main(port: number, protocol: string): Promise<void> {
  for (let round = 0; round < 8; round++) {
    await Promise.all(Array.from({ length: 20 }, () => comeAndGo(port, protocol)));
  }
  console.log('done');
}

const [port, protocol] = process.argv.slice(2) as [string, string];
void main(Number(port), protocol);
