import * as net from 'node:net';
import { ConfigError } from '../errors';

/** Limits on handshakes. Each is off unless given. */
export interface HandshakeLimits {
  /**
   * Handshakes under way at one time. One more ends the one that is under way for longest: a real
   * client is done in milliseconds, so what is ended is a connection that keeps silent.
   */
  pending?: number | undefined;
  /** Handshakes under way at one time from one address; one more is refused. */
  pendingPerAddress?: number | undefined;
  /** New connections a second from one address, on average and at once; more are refused. */
  perSecondPerAddress?: number | undefined;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was right, in ms of `performance.now()`. */
  at: number;
}

/** More addresses than these in one second are not told apart. */
const MAX_BUCKETS = 16_384;

/**
 * Says who may begin a handshake. An IPv6 client is counted by its network of 64 bits: that is what
 * one customer is given (RFC 6177).
 */
export class Admission {
  readonly #limits: HandshakeLimits;
  /** In the order in which they began. */
  readonly #pending = new Map<net.Socket, string | undefined>();
  readonly #pendingByAddress = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();

  /** @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE` */
  constructor(limits: HandshakeLimits = {}) {
    for (const [name, limit] of Object.entries(limits as Record<string, unknown>)) {
      if (limit === undefined || (typeof limit === 'number' && limit >= 1)) continue;
      throw new ConfigError(
        'ERR_AWS_LC_CONFIG_TYPE',
        `handshakeLimits.${name}`,
        'expected a number of at least 1',
      );
    }
    this.#limits = { ...limits };
  }

  /** How many handshakes are under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Books a handshake that is about to begin. Answers `false` where it may not, else the connection
   * that has to make room for it, if one has to.
   */
  begin(socket: net.Socket): { evicted: net.Socket | undefined } | false {
    const { pending, pendingPerAddress, perSecondPerAddress } = this.#limits;
    const limitsAddresses = pendingPerAddress !== undefined || perSecondPerAddress !== undefined;
    const address = limitsAddresses ? networkOf(socket.remoteAddress) : undefined;
    if (address !== undefined) {
      const underWay = this.#pendingByAddress.get(address) ?? 0;
      if (pendingPerAddress !== undefined && underWay >= pendingPerAddress) return false;
      if (perSecondPerAddress !== undefined && !this.#take(address, perSecondPerAddress)) {
        return false;
      }
      this.#pendingByAddress.set(address, underWay + 1);
    }
    this.#pending.set(socket, address);
    if (pending === undefined || this.#pending.size <= pending) return { evicted: undefined };
    const [oldest] = this.#pending.keys();
    this.end(oldest as net.Socket);
    return { evicted: oldest };
  }

  /** Books the end of a handshake, however it ended. */
  end(socket: net.Socket): void {
    const address = this.#pending.get(socket);
    if (!this.#pending.delete(socket) || address === undefined) return;
    const underWay = (this.#pendingByAddress.get(address) ?? 1) - 1;
    if (underWay === 0) this.#pendingByAddress.delete(address);
    else this.#pendingByAddress.set(address, underWay);
  }

  /** A token bucket: it fills at `rate` a second and holds as many. */
  #take(address: string, rate: number): boolean {
    const now = performance.now();
    const bucket = this.#buckets.get(address);
    const filled = bucket ? bucket.tokens + ((now - bucket.at) / 1000) * rate : rate;
    const tokens = Math.min(rate, filled);
    if (tokens < 1) return false;
    // Taken out and put back, the first of the map is the one not seen for longest.
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: tokens - 1, at: now });
    this.#forgetFull(now);
    return true;
  }

  /** A bucket that nobody has taken from for a second is full, and so is one that is not there. */
  #forgetFull(now: number): void {
    for (const [address, { at }] of this.#buckets) {
      if (now - at < 1000 && this.#buckets.size <= MAX_BUCKETS) return;
      this.#buckets.delete(address);
    }
  }
}

/** The network that an address is counted under; `undefined` where there is no address (Unix sockets). */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!net.isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] as string).split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
    for (let i = 0; i < missing; i++) groups.push('0');
    if (tail !== '') groups.push(...tail.split(':'));
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
