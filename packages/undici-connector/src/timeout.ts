import type { Socket } from 'node:net';
import { errors } from 'undici';
import type { Route } from './socket';

/** Milliseconds. */
const STRETCH = 500;

/**
 * Runs `expire` after `ms` milliseconds, or never when that is 0.
 *
 * They pass in stretches, each of which counts for no more than its length however late it ends: the time in which a
 * process gets no CPU, or is busy with something else, is none that the peer let pass. undici's own timers count alike.
 *
 * @returns a function that calls it off
 */
export function startTimer(ms: number, expire: () => void): () => void {
  if (ms === 0) {
    return () => {};
  }
  let left = ms;
  let timer: NodeJS.Timeout;
  let immediate: NodeJS.Immediate | undefined;
  const wait = (): void => {
    const stretch = Math.min(left, STRETCH);
    timer = setTimeout(() => {
      left -= stretch;
      if (left > 0) {
        wait();
      } else {
        // One more turn of the loop: an event of the socket that is already waiting says more than
        // our timeout does.
        immediate = setImmediate(expire);
      }
    }, stretch);
  };
  wait();
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
