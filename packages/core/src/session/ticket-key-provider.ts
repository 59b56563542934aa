/** A ticket key and the time from which it seals. */
export interface ScheduledTicketKey {
  /** 48 secret random bytes. */
  key: Uint8Array;
  /** Milliseconds since 1970; the same in every process, so clocks should agree to within seconds. */
  activeFrom: number;
}

/**
 * Where the processes of a fleet find the ticket keys that they share. Both functions may fail, and may be called
 * again at any time; they are given up after the time-out of the rotation that calls them.
 */
export interface TicketKeyProvider {
  /**
   * The schedule that counts now, newest key first, or undefined where there is none yet.
   *
   * @param signal fires when nobody waits for the answer any more
   */
  load(signal: AbortSignal): Promise<readonly ScheduledTicketKey[] | undefined>;

  /**
   * Stores `next` in place of `loaded`, unless another process has stored something else in between. Where keys are
   * rotated by somebody else, leave this function out.
   *
   * @returns the schedule that counts now: `next`, or what the other process stored
   */
  rotate?(
    next: readonly ScheduledTicketKey[],
    loaded: readonly ScheduledTicketKey[] | undefined,
    signal: AbortSignal,
  ): Promise<readonly ScheduledTicketKey[]>;
}
