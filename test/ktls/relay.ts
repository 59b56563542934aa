/**
 * A relay between two TCP sockets that decides when what passes is delivered, so that a test can
 * bring together on the wire what would come apart, and apart what would come together.
 */
import net from 'node:net';
import type { Test } from 'tap';
import { listener, type Transports } from '../helpers/transports.js';
import { eventually, nextEvent } from '../helpers/wait.js';

/** One direction of the relay. */
export class Lane {
  /** Everything that has come in, delivered or not. */
  seen = Buffer.alloc(0);
  /** Called when more has come in, before it is delivered, with how often that has happened. */
  onFlight: ((flight: number) => void) | undefined;
  /** Whether the end is kept back, however much is released. */
  keepsEnd = false;
  private flights = 0;
  private ended = false;
  private delivered = 0;
  private limit = Infinity;

  constructor(
    from: net.Socket,
    readonly to: net.Socket,
  ) {
    // One write is one segment, not one and a rest that waits.
    to.setNoDelay(true);
    from.on('data', (chunk) => {
      this.seen = Buffer.concat([this.seen, chunk]);
      this.onFlight?.(++this.flights);
      this.deliver();
    });
    from.on('end', () => {
      this.ended = true;
      this.deliver();
    });
    for (const end of [from, to]) end.on('error', () => {});
    from.on('close', (failed) => failed && to.resetAndDestroy());
  }

  /** What has come in and was held back. */
  get held(): Buffer {
    return this.seen.subarray(this.delivered);
  }

  /** Delivers no byte beyond the one with this index until told otherwise. */
  holdFrom(limit: number): void {
    this.limit = limit;
  }

  /** Holds back all that is not delivered yet. */
  hold(): void {
    this.holdFrom(this.delivered);
  }

  /** Delivers at once what was held back, or so many bytes of it; after all of it, what follows. */
  release(count = Infinity): void {
    this.limit = this.delivered + count;
    this.deliver();
  }

  /** Delivers bytes that nobody sent. */
  inject(bytes: Buffer): void {
    this.to.write(bytes);
  }

  /** Waits until at least so many bytes are held back. */
  async holds(count: number): Promise<void> {
    await eventually(`${count} bytes in the relay`, () => this.held.length >= count);
  }

  private deliver(): void {
    const end = Math.min(this.seen.length, this.limit);
    if (end > this.delivered) this.to.write(this.seen.subarray(this.delivered, end));
    this.delivered = Math.max(this.delivered, end);
    if (this.ended && !this.keepsEnd && this.held.length === 0) this.to.end();
  }
}

/** Two ends, and the two directions between them. */
export interface Relayed extends Transports<net.Socket> {
  up: Lane;
  down: Lane;
}

/** A TCP connection through a relay. */
export async function relayed(t: Test): Promise<Relayed> {
  const accepted: net.Socket[] = [];
  const behind = await listener(t, (socket) => accepted.push(socket.pause()));
  const lanes: { up: Lane; down: Lane }[] = [];
  const front = await listener(t, (near) => {
    const far = net.connect(behind.port, '127.0.0.1');
    t.teardown(() => far.destroy());
    lanes.push({ up: new Lane(near, far), down: new Lane(far, near) });
  });
  const client = net.connect(front.port, '127.0.0.1');
  t.teardown(() => client.destroy());
  await nextEvent(client, 'connect');
  await eventually('the relay', () => accepted.length > 0);
  return { client, server: accepted[0]!, ...lanes[0]! };
}
