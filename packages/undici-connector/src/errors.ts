import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { Route } from './socket';
import { connectTimeoutError } from './timeout';

/** With these codes undici keeps its requests and connects again, at once and without end. */
const REQUEUING = new Set(['UND_ERR_SOCKET', 'UND_ERR_INFO']);

/** The refusal of an `http:` origin. */
export function cleartextRefused(call: buildConnector.Options): Error {
  const error = new Error(
    `${call.protocol}//${call.host ?? call.hostname} is a cleartext origin and this connector ` +
      'speaks TLS only; allowCleartext lets such origins through',
  );
  return Object.assign(error, { code: 'ERR_AWS_LC_CLEARTEXT' });
}

/** What undici is told about a connection that `reason` ended before it could be used. */
export function connectError(
  reason: NodeJS.ErrnoException,
  socket: Socket,
  route: Route,
  timeout: number,
): Error {
  const code = reason.code ?? '';
  if (reason instanceof AggregateError && (code === 'ETIMEDOUT' || reason.errors.some(timedOut))) {
    // Every address was tried and one of them stayed silent: that is the same timeout to the user,
    // whichever timer rang first.
    return Object.assign(connectTimeoutError(socket, route, timeout), { cause: reason });
  }
  const { hostname: host, port, path, localAddress } = route;
  if (REQUEUING.has(code)) {
    const error = new Error('The socket was closed before TLS was established', { cause: reason });
    return Object.assign(error, { code: 'ECONNRESET', host, port, path, localAddress });
  }
  if (code === 'ECONNRESET' && (reason as { port?: number }).port === undefined) {
    return Object.assign(reason, { host, port, path, localAddress });
  }
  return reason;
}

function timedOut(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ETIMEDOUT';
}
