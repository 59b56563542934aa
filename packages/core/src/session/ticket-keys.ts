import { randomBytes } from 'node:crypto';
import { inspect, type InspectOptions } from 'node:util';
import { TicketKeys as NativeTicketKeys } from '@node-aws-lc/native';
import { show } from '../diagnostics/inspect';
import { ConfigError } from '../errors';

/** Bytes of a ticket key: a name of 16, 16 for HMAC-SHA256, 16 for AES-128, as in `node:tls`. */
export const TICKET_KEY_LENGTH = 48;

/** Keys for session tickets, each of 48 secret random bytes, as `crypto.randomBytes(48)` makes them. */
export interface TicketKeySet {
  /** The key that new tickets are sealed with. */
  current: Uint8Array;
  /** Keys that tickets are still accepted under; whoever brings one is given a new ticket. */
  previous?: readonly Uint8Array[] | undefined;
}

/** How {@link TicketKeys} that nobody sets change by themselves. */
export interface TicketKeyGeneration {
  /** Seconds for which one key seals. Default 86 400, a day. */
  interval?: number | undefined;
  /** How many keys before the current one are accepted. Default 2: TLS 1.3 tickets live for two days. */
  previous?: number | undefined;
}

const DEFAULT_INTERVAL = 86_400;
const DEFAULT_PREVIOUS = 2;

function invalid(detail: string): ConfigError {
  return new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'ticketKeys', detail);
}

function toKey(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === TICKET_KEY_LENGTH) return value;
  throw invalid(`a key is a Buffer of ${TICKET_KEY_LENGTH} bytes`);
}

function toCount(name: string, value: unknown, fallback: number, least: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw invalid(`${name}: expected a whole number, ${least} or more`);
}

/**
 * The keys that session tickets are sealed with (RFC 5077; RFC 8446, section 4.6.1). One object may serve any number of
 * configurations and outlives them: give it to the next `ServerConfig` and sessions survive the change.
 *
 * Whoever knows a key can make tickets that a server believes, client certificates included, and read TLS 1.2
 * connections that were resumed under it: treat it like a private key, and let it live for hours rather than months.
 */
export class TicketKeys {
  readonly #native = new NativeTicketKeys();

  /**
   * @param keys keys that stay until `set()` or `rotate()`; by default random ones that change by themselves
   * @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE`
   */
  constructor(keys: Uint8Array | TicketKeySet | TicketKeyGeneration = {}) {
    if (keys instanceof Uint8Array || (isObject(keys) && 'current' in keys)) {
      this.set(keys);
      return;
    }
    if (!isObject(keys)) throw invalid('expected a Buffer of 48 bytes, or { current, previous }');
    const interval = toCount('interval', keys.interval, DEFAULT_INTERVAL, 1);
    this.#native.generate(interval, toCount('previous', keys.previous, DEFAULT_PREVIOUS, 0));
  }

  /** The key that new tickets are sealed with: 48 bytes, a secret. */
  get current(): Buffer {
    return this.#native.get()[0] as Buffer;
  }

  /** The keys that are accepted beside it, newest first. */
  get previous(): Buffer[] {
    return this.#native.get().slice(1);
  }

  /**
   * Replaces all keys, in every configuration that has this object, from the next ticket on.
   *
   * @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE`
   */
  set(keys: Uint8Array | TicketKeySet): void {
    if (keys instanceof Uint8Array) {
      this.#native.set([toKey(keys)], 0);
      return;
    }
    if (!isObject(keys)) throw invalid('expected a Buffer of 48 bytes, or { current, previous }');
    const { previous = [] } = keys;
    if (!Array.isArray(previous)) throw invalid('previous: expected an array');
    this.#native.set([toKey(keys.current), ...previous.map(toKey)], 0);
  }

  /**
   * Seals with another key from now on; the one before is accepted, and those before it as far as `keep` goes.
   *
   * @param keep how many keys to accept beside the new one. Default 2
   * @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE`
   */
  rotate(key: Uint8Array = randomBytes(TICKET_KEY_LENGTH), keep = DEFAULT_PREVIOUS): void {
    const previous = this.#native.get().slice(0, toCount('keep', keep, DEFAULT_PREVIOUS, 0));
    this.set({ current: key, previous });
  }

  /** How many keys there are, and nothing of them. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    return show(this, depth, options, { accepted: this.#native.get().length });
  }

  /** @internal Keys that are not in use yet come first; the one at `current` seals. */
  setAll(keys: readonly Uint8Array[], current: number): void {
    this.#native.set(keys.map(toKey), current);
  }

  /** @internal */
  get native(): NativeTicketKeys {
    return this.#native;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What the option `ticketKeys` stands for; random keys of its own where it is not given. */
export function toTicketKeys(option: unknown): TicketKeys {
  if (option instanceof TicketKeys) return option;
  if (option === undefined) return new TicketKeys();
  if (option instanceof Uint8Array) return new TicketKeys(option);
  if (isObject(option) && 'current' in option) return new TicketKeys(option as TicketKeySet);
  throw invalid('expected a Buffer of 48 bytes, { current, previous }, or TicketKeys');
}
