/** Looking at what crosses a connection from outside: a relay that keeps the bytes it passes on. */
import net from 'node:net';
import type { Test } from 'tap';
import { listener, type Transports } from './transports.js';
import { nextEvent } from './wait.js';

/** The content types of TLS records (RFC 8446, section 5.1). */
export const recordTypes = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
} as const;

/** One record as it lay on the wire. */
export interface WireRecord {
  type: number;
  version: number;
  body: Buffer;
}

/** Splits ciphertext into its records; throws where it is anything but TLS. */
export function parseRecords(bytes: Buffer): WireRecord[] {
  const records: WireRecord[] = [];
  const known: number[] = Object.values(recordTypes);
  for (let at = 0; at < bytes.length;) {
    const type = bytes.readUInt8(at);
    const version = bytes.length >= at + 3 ? bytes.readUInt16BE(at + 1) : 0;
    if (!known.includes(type) || version >> 8 !== 3) {
      throw new Error(`not a TLS record: ${bytes.subarray(at, at + 40).toString('latin1')}`);
    }
    const length = bytes.readUInt16BE(at + 3);
    const body = bytes.subarray(at + 5, at + 5 + length);
    if (body.length < length) throw new Error('a record was cut off');
    records.push({ type, version, body });
    at += 5 + length;
  }
  return records;
}

/** Two ends with a relay between them, and what has passed it in each direction. */
export interface Tapped extends Transports<net.Socket> {
  fromClient: () => Buffer;
  fromServer: () => Buffer;
  /** The same in the pieces that it came in. */
  piecesFromServer: readonly Buffer[];
  /** The relay's own sockets, to cut the wire with. */
  relay: Transports<net.Socket>;
}

/** A TCP connection through a relay that keeps a copy of everything. */
export async function tapped(t: Test): Promise<Tapped> {
  const accepted: net.Socket[] = [];
  const behind = await listener(t, (socket) => accepted.push(socket.pause()));
  const relays: Transports<net.Socket>[] = [];
  const seen = { client: [] as Buffer[], server: [] as Buffer[] };
  const front = await listener(t, (near) => {
    const far = net.connect(behind.port, '127.0.0.1');
    t.teardown(() => far.destroy());
    relays.push({ client: near, server: far });
    forward(near, far, seen.client);
    forward(far, near, seen.server);
  });
  const client = net.connect(front.port, '127.0.0.1');
  t.teardown(() => client.destroy());
  await nextEvent(client, 'connect');
  while (accepted.length === 0) await nextTurn();
  return {
    client,
    server: accepted[0]!,
    relay: relays[0]!,
    fromClient: () => Buffer.concat(seen.client),
    fromServer: () => Buffer.concat(seen.server),
    piecesFromServer: seen.server,
  };
}

function forward(from: net.Socket, to: net.Socket, copy: Buffer[]): void {
  from.on('data', (chunk) => {
    copy.push(chunk);
    to.write(chunk);
  });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
