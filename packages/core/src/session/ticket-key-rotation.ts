import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { inspect, type InspectOptions } from 'node:util';
import { show } from '../diagnostics/inspect';
import { ConfigError } from '../errors';
import type { ScheduledTicketKey, TicketKeyProvider } from './ticket-key-provider';
import { currentIndex, toSchedule, withNextKey, withoutExpired } from './ticket-key-schedule';
import { TICKET_KEY_LENGTH, TicketKeys } from './ticket-keys';

/** Options of {@link TicketKeyRotation}; all times in milliseconds. */
export interface TicketKeyRotationOptions {
  /** How long one key seals. Default 12 hours. */
  interval?: number | undefined;
  /** How long a ticket is accepted after its key has stopped to seal. Default 48 hours, TLS 1.3's longest. */
  lifetime?: number | undefined;
  /** How often the provider is asked, give or take a quarter. Default a minute. */
  pollInterval?: number | undefined;
  /** How long the provider may take to answer. Default 5 seconds. */
  timeout?: number | undefined;
}

const HOUR = 3_600_000;
/** The longest delay that Node's timers keep. */
const MAX_DELAY = 2 ** 31 - 1;

function toMilliseconds(option: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value > 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', option, 'expected milliseconds above zero');
}

/**
 * Keeps {@link TicketKeys} in step with a schedule that a fleet shares through a {@link TicketKeyProvider}, and
 * extends that schedule when it is time. Every process may do so at once; the provider sees to it that one of them wins.
 *
 * While the provider cannot be reached the keys that are known go on being used, and the next one begins on time,
 * because it was published an interval ahead; after that, keys of this process' own, so that sessions are resumed by
 * the process that made them. Handshakes never wait for the provider.
 *
 * Emits 'unavailable' with the error when the provider begins to fail (which is a process warning too, with the code
 * `AWS_LC_TICKET_KEYS`, once an outage), 'available' when it answers again, 'change' when another key seals. Its timers
 * do not keep the process alive.
 */
export class TicketKeyRotation extends EventEmitter<{
  unavailable: [Error];
  available: [];
  change: [];
}> {
  /** For the option `ticketKeys`; any number of configurations. */
  readonly keys: TicketKeys;
  /** Resolves when the provider has answered for the first time, or failed to: it never rejects. */
  readonly ready: Promise<void>;

  readonly #provider: TicketKeyProvider;
  readonly #interval: number;
  readonly #lifetime: number;
  readonly #pollInterval: number;
  readonly #timeout: number;
  /** What the provider answered last; undefined where it had nothing. */
  #shared: ScheduledTicketKey[] | undefined;
  /** Keys of this process alone, for want of shared ones. */
  #own: ScheduledTicketKey[] = [];
  /** Keys that were shared once. */
  #retired: ScheduledTicketKey[] = [];
  #sealing: Buffer | undefined;
  #available = true;
  #closed = false;
  #attempt: AbortController | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #switchTimer: NodeJS.Timeout | undefined;

  /** @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE` */
  constructor(provider: TicketKeyProvider, options: TicketKeyRotationOptions = {}) {
    super();
    if (typeof (provider as Partial<TicketKeyProvider> | null)?.load !== 'function') {
      throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'provider', 'expected a TicketKeyProvider');
    }
    this.#provider = provider;
    this.#interval = toMilliseconds('interval', options.interval, 12 * HOUR);
    this.#lifetime = toMilliseconds('lifetime', options.lifetime, 48 * HOUR);
    this.#pollInterval = toMilliseconds('pollInterval', options.pollInterval, 60_000);
    this.#timeout = toMilliseconds('timeout', options.timeout, 5000);
    this.keys = new TicketKeys();
    this.#apply();
    this.ready = this.#poll();
  }

  /** Asks the provider no more. The keys remain as they are. */
  close(): void {
    this.#closed = true;
    this.#attempt?.abort();
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#switchTimer);
  }

  /** How it goes, and nothing of the keys. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    const [sealing] = (this.#shared ?? []).filter(({ activeFrom }) => activeFrom <= Date.now());
    return show(this, depth, options, {
      available: this.#available,
      sealingSince: sealing && new Date(sealing.activeFrom),
      shared: this.#shared?.length ?? 0,
      own: this.#own.length,
      keys: this.keys,
    });
  }

  async #poll(): Promise<void> {
    try {
      const schedule = await this.#within((signal) => this.#synchronize(signal));
      if (this.#closed) return;
      this.#replaceShared(schedule);
      this.#apply();
      this.#reached();
    } catch (error) {
      if (this.#closed) return;
      this.#missed(error instanceof Error ? error : new Error(String(error)));
    }
    // Spread, so that a fleet that was started at once does not ask at once.
    const delay = this.#pollInterval * (0.75 + Math.random() / 2);
    this.#pollTimer = setTimeout(() => void this.#poll(), Math.min(delay, MAX_DELAY)).unref();
  }

  /** Keys that are shared no more have sealed tickets all the same. */
  #replaceShared(schedule: ScheduledTicketKey[] | undefined): void {
    // A store that keeps changing its mind must not have them pile up.
    this.#retired = [...this.#retired, ...(this.#shared ?? [])].filter(
      ({ key }) => !schedule?.some((other) => Buffer.compare(other.key, key) === 0),
    );
    this.#shared = schedule;
  }

  async #synchronize(signal: AbortSignal): Promise<ScheduledTicketKey[] | undefined> {
    const loaded = await this.#provider.load(signal);
    if (this.#provider.rotate === undefined) return loaded && toSchedule(loaded);
    // A store that has lost everything is given back what this process knows of it.
    const schedule = loaded === undefined ? (this.#shared ?? []) : toSchedule(loaded);
    const now = Date.now();
    const next = withNextKey(schedule, now, this.#interval) ?? schedule;
    if (next === schedule && loaded !== undefined) return schedule;
    const kept = withoutExpired(next, now, this.#lifetime);
    return toSchedule(await this.#provider.rotate(kept, loaded, signal));
  }

  /** A provider that never answers must not end the polling, whether it heeds the signal or not. */
  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const attempt = new AbortController();
    const { signal } = attempt;
    const message = `the ticket key provider did not answer in ${this.#timeout} ms`;
    const timer = setTimeout(() => attempt.abort(new Error(message)), this.#timeout).unref();
    this.#attempt = attempt;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    try {
      return await Promise.race([work(signal), aborted]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hands the keys that count at this moment to the configurations, and comes back when the next one begins. */
  #apply(): void {
    const now = Date.now();
    const shared = withoutExpired(this.#shared ?? [], now, this.#lifetime);
    const opens = ({ activeFrom }: ScheduledTicketKey): boolean =>
      activeFrom + this.#interval + this.#lifetime > now;
    this.#own = this.#own.filter(opens);
    this.#retired = this.#retired.filter(opens);
    const index = currentIndex(shared, now);
    const upcoming = index < 0 ? shared : shared.slice(0, index);
    const sealing =
      this.#mayStillSeal(shared[index], upcoming.length > 0, now) ?? this.#ownKey(now);
    const others = [...shared.slice(upcoming.length), ...this.#own, ...this.#retired].filter(
      (entry) => entry !== sealing,
    );
    const all = [...upcoming, sealing, ...others].map(({ key }) => key);
    this.keys.setAll(all, upcoming.length);
    this.#planSwitch(now, upcoming.at(-1)?.activeFrom ?? sealing.activeFrom + this.#interval);
    const changed = this.#sealing !== undefined && !this.#sealing.equals(sealing.key);
    this.#sealing = Buffer.from(sealing.key);
    if (changed) this.#tell('change');
  }

  /** A schedule whose last key has sealed for its time was not extended, because the provider is away. */
  #mayStillSeal(
    shared: ScheduledTicketKey | undefined,
    hasSuccessor: boolean,
    now: number,
  ): ScheduledTicketKey | undefined {
    if (shared === undefined || hasSuccessor || this.#provider.rotate === undefined) return shared;
    return shared.activeFrom + this.#interval > now ? shared : undefined;
  }

  #ownKey(now: number): ScheduledTicketKey {
    const [newest] = this.#own;
    if (newest !== undefined && newest.activeFrom + this.#interval > now) return newest;
    const made = { key: randomBytes(TICKET_KEY_LENGTH), activeFrom: now };
    this.#own.unshift(made);
    return made;
  }

  #planSwitch(now: number, next: number): void {
    clearTimeout(this.#switchTimer);
    const delay = Math.min(Math.max(next - now, 1), MAX_DELAY);
    this.#switchTimer = setTimeout(() => this.#apply(), delay).unref();
  }

  #reached(): void {
    if (this.#available) return;
    this.#available = true;
    this.#tell('available');
  }

  #missed(error: Error): void {
    this.#apply();
    if (!this.#available) return;
    this.#available = false;
    process.emitWarning(
      `Shared ticket keys cannot be read: ${error.message}. ` +
        'Handshakes go on; from the next rotation on, sessions are resumed by the process that made them',
      { code: 'AWS_LC_TICKET_KEYS' },
    );
    this.#tell('unavailable', error);
  }

  /** What a listener throws is no failure of the provider's, and must not end the polling. */
  #tell(event: 'available' | 'change' | 'unavailable', ...errors: Error[]): void {
    process.nextTick(() => (this as EventEmitter).emit(event, ...errors));
  }
}
