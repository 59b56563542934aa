/** Counting this process' open file descriptors, to notice the ones that nobody closed. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How many descriptors this process has open. */
export function descriptorCount(): number {
  // The folder's own descriptor is open while it is read.
  return readdirSync('/proc/self/fd').length - 1;
}

/** The lowest count seen before it reaches `limit` or `ms` are over: descriptors close late. */
export async function settledDescriptorCount(limit: number, ms = 5000): Promise<number> {
  const end = Date.now() + ms;
  let count = descriptorCount();
  while (count > limit && Date.now() < end) {
    await sleep(20);
    count = descriptorCount();
  }
  return count;
}
