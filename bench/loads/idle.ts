/** Opens connections, leaves them idle, and sees what they cost the server in memory. */
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Load, Target } from '../runner/scenario';

/** What a connection has done before it is idle. */
export type IdleKind = 'raw' | 'http' | 'h2';

/** Connections opened before the first reading: the server has then allocated what it shares. */
const FIRST = 200;

function rawConnection({ port, tls: secure }: Target): Promise<Duplex> {
  const options = { port, host: '127.0.0.1' };
  return new Promise((resolve, reject) => {
    const socket = secure
      ? tls.connect({ ...options, rejectUnauthorized: false }, () => resolve(socket))
      : net.connect(options, () => resolve(socket));
    socket.on('error', reject);
  });
}

async function httpConnection(target: Target): Promise<Duplex> {
  const socket = await rawConnection(target);
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await answered;
  return socket;
}

function h2Connection({ port, tls: secure }: Target): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const origin = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
    const session = http2.connect(origin, { rejectUnauthorized: false }).on('error', reject);
    const request = session.request({ ':path': '/' }).on('error', reject);
    request.resume().once('end', () => resolve(session));
  });
}

const OPEN = { raw: rawConnection, http: httpConnection, h2: h2Connection };

/** KiB of memory that the server has for each of `count` more idle connections. */
export async function idle(target: Target, kind: IdleKind, count: number): Promise<Load> {
  const opened: { destroy(): unknown }[] = [];
  const open = async (many: number) => {
    for (let left = many; left > 0; left -= 20) {
      const batch = Array.from({ length: 20 }, () => OPEN[kind](target));
      opened.push(...(await Promise.all(batch)));
    }
  };
  await open(FIRST);
  const before = await settledRss(target);
  const begin = performance.now();
  await open(count);
  const seconds = (performance.now() - begin) / 1000;
  const after = await settledRss(target);
  for (const one of opened) one.destroy();
  const each = (seconds * 1e6) / count;
  const latency = { p50: each, p90: each, p99: each, max: each };
  return { units: count, seconds, latency, cost: (after - before) / count };
}

/** KiB, proc(5), after garbage collections with time for what they free to be given back. */
async function settledRss({ pid, ask }: Target): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await sleep(300);
    await ask({ ask: 'collect' });
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}
