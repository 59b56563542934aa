import type { Socket } from 'node:net';
import { errors } from 'undici';
import { LONGEST_DELAY } from './options';
import type { Route } from './socket';

/**
 * Runs `expire` after `ms` milliseconds, or never when that is 0.
 *
 * @returns a function that calls it off
 */
export function startTimer(ms: number, expire: () => void): () => void {
  if (ms === 0) {
    return () => {};
  }
  let immediate: NodeJS.Immediate | undefined;
  // One more turn of the loop: an event of the socket that is already waiting, after a long
  // synchronous stretch of the user's code for example, says more than our timeout does.
  const timer = setTimeout(
    () => {
      immediate = setImmediate(expire);
    },
    Math.min(ms, LONGEST_DELAY),
  );
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/**
 * undici's error for a connection that was not there within `timeout` ms, in undici's words.
 *
 * @param socket - undefined where it is a proxy that connects
 */
export function connectTimeoutError(
  socket: Socket | undefined,
  route: Route,
  timeout: number,
): Error {
  const address = route.path ?? `${route.hostname}:${route.port}`;
  const attempted: string[] | undefined = socket?.autoSelectFamilyAttemptedAddresses;
  const addresses = Array.isArray(attempted)
    ? `attempted addresses: ${attempted.join(', ')}`
    : `attempted address: ${address}`;
  return new errors.ConnectTimeoutError(
    `Connect Timeout Error (${addresses}, timeout: ${timeout}ms)`,
  );
}
