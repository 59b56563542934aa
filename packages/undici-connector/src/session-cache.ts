import type { TlsStream } from '@node-aws-lc/core';
import type { Socket } from 'node:net';
import type { Route } from './socket';

/**
 * A server hands out a few tickets at a time, and connections in parallel use up as many. More than
 * this, of one origin, would be old before they are needed.
 */
const TICKETS_PER_ORIGIN = 4;

interface Ticket {
  readonly session: Buffer;
  /** TLS 1.3: used twice, a ticket lets an observer link the connections (RFC 8446, C.4). */
  readonly singleUse: boolean;
}

/**
 * Sessions for resumption, by all that decides whether one may stand for another connection's
 * handshake: where it led, the name that was verified, what ALPN offered. Trust and identity are
 * not in the key, because a cache belongs to one connector and these to its configuration.
 */
export class SessionCache {
  /** The newest ticket of an origin is last, and so is the origin most recently filled. */
  readonly #tickets = new Map<string, Ticket[]>();
  readonly #capacity: number;

  /** @param capacity - how many origins to remember; 0 for none */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The key of connections that may resume one another's sessions. */
  keyOf(route: Route, serverName: string, http2: boolean): string {
    const { hostname, port, path } = route;
    return JSON.stringify([path ?? hostname, path ?? port, serverName, http2]);
  }

  /**
   * The newest session of `key`, which is then gone unless it may be used again.
   *
   * @param socket - what it is going to be shown on; it comes back if that never connects
   */
  take(key: string, socket: Socket): Buffer | undefined {
    const tickets = this.#tickets.get(key);
    const newest = tickets?.at(-1);
    if (newest?.singleUse) {
      tickets?.pop();
      this.#takeBackUnshown(key, newest, socket);
    }
    return newest?.session;
  }

  /** Keeps what `stream` can be resumed with, if its server was verified. */
  fill(key: string, stream: TlsStream): void {
    if (this.#capacity === 0 || !stream.authorized) {
      return;
    }
    if (stream.negotiated.protocol === 'TLSv1.3') {
      // Tickets come after the handshake, when the server likes (RFC 8446, 4.6.1).
      stream.on('session', (session: Buffer) => this.#add(key, { session, singleUse: true }));
      return;
    }
    const session = stream.getSession();
    if (session !== undefined) {
      this.#add(key, { session, singleUse: false });
    }
  }

  /** Or a server that is away for a moment finds no ticket left when it is back. */
  #takeBackUnshown(key: string, ticket: Ticket, socket: Socket): void {
    if (!socket.connecting) {
      return;
    }
    const takeBack = () => this.#add(key, ticket);
    socket.once('close', takeBack);
    socket.once('connect', () => socket.off('close', takeBack));
  }

  #add(key: string, ticket: Ticket): void {
    const tickets = this.#tickets.get(key) ?? [];
    tickets.push(ticket);
    if (tickets.length > TICKETS_PER_ORIGIN) {
      tickets.shift();
    }
    this.#tickets.delete(key);
    this.#tickets.set(key, tickets);
    if (this.#tickets.size > this.#capacity) {
      const [oldest] = this.#tickets.keys();
      this.#tickets.delete(oldest!);
    }
  }
}
