/**
 * Prints what the first random bytes of a process cost its event loop, in milliseconds of its thread's time on a
 * processor: once the library is loaded and nothing else is left to do.
 */
import { TicketKeys } from '@node-aws-lc/core';
import { readFileSync } from 'node:fs';

/** proc(5), schedstat: the thread of the event loop is the process' first. */
function spent(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

process.once('beforeExit', () => {
  const before = spent();
  new TicketKeys();
  console.log(spent() - before);
});
