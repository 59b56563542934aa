/**
 * Once the kernel has the keys this process has them no more: its memory is searched for them, with
 * what the peer's key log tells.
 */
import { hostKtls, type KtlsOption } from '@node-aws-lc/core';
import { createHmac } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { duplexPair } from 'node:stream';
import t, { type Test } from 'tap';
import tls, { type SecureVersion } from 'node:tls';
import { Child } from '../helpers/children.js';
import { clientOptions, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { listener } from '../helpers/transports.js';
import { eventually, nextEvent } from '../helpers/wait.js';
import { expandLabel } from './forger.js';
import type { Told } from './programs/hold.js';

t.setTimeout(150_000);

const program = path.join(__dirname, 'programs', 'hold.js');
const { rekey } = hostKtls();
const suites = {
  'TLSv1.3': 'TLS_AES_128_GCM_SHA256',
  'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
} as const;
type Version = keyof typeof suites;

/** Keys and secrets by name. */
type Secrets = Map<string, Buffer>;

interface Held {
  child: Child;
  secrets: Secrets;
}

/** A connection between node:tls here and a child of ours, over which a word has gone each way. */
async function held(
  t: Test,
  side: Told['side'],
  version: Version,
  ktls: KtlsOption,
): Promise<Held> {
  const common = {
    ktls,
    minVersion: version,
    maxVersion: version,
    cipherSuites: [suites[version]],
  };
  const peer = side === 'server' ? await asClient(t, common) : await asServer(t, common);
  const { child, socket, wire } = peer;
  const lines: string[] = [];
  socket.on('keylog', (line: Buffer) => lines.push(line.toString()));
  await nextEvent(socket, side === 'server' ? 'secureConnect' : 'secure', 60_000);
  socket.write('a word');
  await eventually('the word', () => child.stdout.includes('ktls '), 60_000);
  return { child, secrets: secretsOf(lines, wire.toServer(), wire.toClient()) };
}

interface Peer {
  child: Child;
  socket: tls.TLSSocket;
  wire: { toServer: () => Buffer; toClient: () => Buffer };
}

function start(t: Test, told: Told): Child {
  return new Child(t, process.execPath, [program, JSON.stringify(told)], { timeout: 120_000 });
}

async function asClient(t: Test, options: object): Promise<Peer> {
  const child = start(t, { side: 'server', options: await serverOptions(options) });
  await eventually('the port', () => /^port \d+$/m.test(child.stdout), 60_000);
  const port = Number(/port (\d+)/.exec(child.stdout)?.[1]);
  const link = tap(t, net.connect(port, '127.0.0.1'));
  const ca = (await pki.root()).cert;
  const socket = tls.connect({ socket: link.far, servername: 'localhost', ca });
  return { child, socket, wire: { toServer: link.sent, toClient: link.received } };
}

async function asServer(t: Test, options: object): Promise<Peer> {
  const sockets: net.Socket[] = [];
  const { port } = await listener(t, (socket) => sockets.push(socket.pause()));
  const child = start(t, { side: 'client', options: await clientOptions(options), port });
  await eventually('the client', () => sockets.length > 0, 60_000);
  const link = tap(t, sockets[0]!);
  const { key, chain } = await pki.server();
  const secureContext = tls.createSecureContext({ key, cert: chain });
  const socket = new tls.TLSSocket(link.far, { isServer: true, secureContext });
  return { child, socket, wire: { toServer: link.received, toClient: link.sent } };
}

/** A Duplex in front of a socket, and what has passed. */
function tap(t: Test, wire: net.Socket) {
  const [near, far] = duplexPair();
  const sent: Buffer[] = [];
  const received: Buffer[] = [];
  near.on('data', (chunk: Buffer) => sent.push(chunk));
  wire.on('data', (chunk: Buffer) => received.push(chunk)).on('error', () => {});
  near.pipe(wire).pipe(near);
  t.teardown(() => wire.destroy());
  return { far, sent: () => Buffer.concat(sent), received: () => Buffer.concat(received) };
}

/** What the key log says, and the keys that follow from it. Exporter and session are no keys of a direction. */
function secretsOf(lines: string[], toServer: Buffer, toClient: Buffer): Secrets {
  const secrets: Secrets = new Map();
  for (const line of lines) {
    const [label, , hex] = line.trim().split(' ');
    const secret = Buffer.from(hex!, 'hex');
    if (label === 'CLIENT_RANDOM') {
      const block = keyBlock(secret, random(toServer), random(toClient));
      secrets.set('client write key', block.subarray(0, 16));
      secrets.set('server write key', block.subarray(16, 32));
    } else if (label !== 'EXPORTER_SECRET') {
      secrets.set(label!, secret);
      secrets.set(`key of ${label}`, expandLabel(secret, 'key', 16));
      secrets.set(`iv of ${label}`, expandLabel(secret, 'iv', 12));
    }
  }
  return secrets;
}

/** The random value of the ClientHello or ServerHello that begins what was sent. */
function random(bytes: Buffer): Buffer {
  const headers = 5 + 4 + 2;
  return bytes.subarray(headers, headers + 32);
}

/** RFC 5246, sections 5 and 6.3, for SHA-256. */
function keyBlock(master: Buffer, client: Buffer, server: Buffer): Buffer {
  const seed = Buffer.concat([Buffer.from('key expansion'), server, client]);
  const hmac = (data: Buffer): Buffer => createHmac('sha256', master).update(data).digest();
  const first = hmac(seed);
  return Buffer.concat([
    hmac(Buffer.concat([first, seed])),
    hmac(Buffer.concat([hmac(first), seed])),
  ]);
}

/** How often each is in a process' memory; what is there not at all is left out. */
function searched(pid: number, secrets: Secrets): Record<string, number> {
  const found: Record<string, number> = {};
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  for (const [start, end] of writableRanges(pid)) {
    const bytes = readRange(memory, start, end);
    for (const [name, secret] of secrets) {
      for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + 1)) {
        found[name] = (found[name] ?? 0) + 1;
      }
    }
  }
  closeSync(memory);
  return found;
}

function writableRanges(pid: number): [start: number, end: number][] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => /^(\w+)-(\w+) rw/.exec(line))
    .filter((match) => match !== null)
    .map(([, start, end]) => [Number.parseInt(start!, 16), Number.parseInt(end!, 16)]);
}

function readRange(memory: number, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  try {
    const count = readSync(memory, bytes, 0, bytes.length, start);
    return bytes.subarray(0, count);
  } catch {
    // Gone since, or a device's.
    return Buffer.alloc(0);
  }
}

/** The current generation, once, where the kernel can be given the next. */
function expected(version: Version): Record<string, number> {
  if (!rekey || version === 'TLSv1.2') return {};
  return { CLIENT_TRAFFIC_SECRET_0: 1, SERVER_TRAFFIC_SECRET_0: 1 };
}

for (const version of ['TLSv1.3', 'TLSv1.2'] satisfies SecureVersion[]) {
  for (const side of ['server', 'client'] as const) {
    t.test(`a ${side} whose kernel has the keys has none of them: ${version}`, async (t) => {
      const { child, secrets } = await held(t, side, version, 'require');
      t.match(child.stdout, '"tx":true,"rx":true');
      t.ok(secrets.size >= 2);
      t.same(searched(child.pid, secrets), expected(version));
    });
  }
}

t.test('a process that has them in userspace has them, so the search finds', async (t) => {
  const { child, secrets } = await held(t, 'server', 'TLSv1.3', 'off');
  const found = Object.keys(searched(child.pid, secrets));
  for (const side of ['CLIENT', 'SERVER']) t.ok(found.includes(`key of ${side}_TRAFFIC_SECRET_0`));
});

t.test('a direction that stays in userspace keeps its own', async (t) => {
  const { child, secrets } = await held(t, 'server', 'TLSv1.2', { tx: 'require', rx: 'off' });
  t.same(Object.keys(searched(child.pid, secrets)), ['client write key']);
});
