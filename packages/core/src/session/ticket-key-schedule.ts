import { randomBytes } from 'node:crypto';
import type { ScheduledTicketKey } from './ticket-key-provider';
import { TICKET_KEY_LENGTH } from './ticket-keys';

/** Newest first, with everything dropped that is no key: what a provider answers comes from outside. */
export function toSchedule(loaded: unknown): ScheduledTicketKey[] {
  if (!Array.isArray(loaded)) throw new TypeError('the provider answered no array of keys');
  for (const entry of loaded as (Partial<ScheduledTicketKey> | null)[]) {
    const { key, activeFrom } = entry ?? {};
    const valid = key instanceof Uint8Array && key.length === TICKET_KEY_LENGTH;
    if (!valid || !Number.isFinite(activeFrom)) {
      throw new TypeError('the provider answered something that is no ticket key');
    }
  }
  const schedule = [...(loaded as ScheduledTicketKey[])];
  return schedule.sort((a, b) => b.activeFrom - a.activeFrom);
}

/** The index of the key that seals at `now`, or -1 where all of them are of the future. */
export function currentIndex(schedule: readonly ScheduledTicketKey[], now: number): number {
  return schedule.findIndex(({ activeFrom }) => activeFrom <= now);
}

/** Without the keys under which no ticket can be valid any more. */
export function withoutExpired(
  schedule: readonly ScheduledTicketKey[],
  now: number,
  lifetime: number,
): ScheduledTicketKey[] {
  // A key seals until its successor does; what it has sealed last lives for `lifetime` from then on.
  return schedule.filter((_, i) => {
    const successor = schedule[i - 1];
    return successor === undefined || successor.activeFrom + lifetime > now;
  });
}

/**
 * The schedule with the keys that it ought to have by now, or undefined where it has them. One key is always published
 * a whole interval before it seals, so that every process knows it by then, and the fleet can do without the store for
 * that long.
 */
export function withNextKey(
  schedule: readonly ScheduledTicketKey[],
  now: number,
  interval: number,
): ScheduledTicketKey[] | undefined {
  const [newest] = schedule;
  if (newest !== undefined && newest.activeFrom > now) return undefined;
  const add = (activeFrom: number): ScheduledTicketKey => ({
    key: randomBytes(TICKET_KEY_LENGTH),
    activeFrom,
  });
  if (newest !== undefined && newest.activeFrom + interval > now) {
    return [add(newest.activeFrom + interval), ...schedule];
  }
  // Others learn of a key that seals at once only when they look: until then it costs full handshakes.
  return [add(now + interval), add(now), ...schedule];
}
