import { TlsError } from '@node-aws-lc/core';
import type { Socket } from 'node:net';
import { type buildConnector, errors } from 'undici';
import type { Route } from './socket';
import { connectTimeoutError } from './timeout';

/** With these codes undici keeps its requests and connects again, at once and without end. */
const REQUEUING = new Set(['UND_ERR_SOCKET', 'UND_ERR_INFO']);

/** The refusal of an `http:` origin. */
export function cleartextRefused(call: buildConnector.Options): TlsError {
  const origin = `${call.protocol}//${call.host ?? call.hostname}`;
  const message = `${origin} refused: TLS only is spoken here, unless allowCleartext is set`;
  return new TlsError('ERR_AWS_LC_CLEARTEXT', message, { side: 'client' });
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
    const message = 'The socket was closed before TLS was established';
    const error = new TlsError('ECONNRESET', message, { side: 'client', cause: reason });
    return Object.assign(error, { host, port, path, localAddress });
  }
  if (code === 'ECONNRESET' && (reason as { port?: number }).port === undefined) {
    return Object.assign(reason, { host, port, path, localAddress });
  }
  return reason;
}

/** What undici is told about a tunnel that did not come about. */
export function proxyConnectionError(reason: Error & { code?: string }): Error {
  if (!REQUEUING.has(reason.code ?? '')) {
    return reason;
  }
  // undici 8's ProxyConnectionError. Version 7 has none, and would ask the proxy for ever.
  return Object.assign(new errors.UndiciError('Proxy Connection failed', { cause: reason }), {
    name: 'ProxyConnectionError',
    code: 'UND_ERR_PRX_CONN',
  });
}

/** What undici is told about a connection to a proxy that `reason` ended. */
export function secureProxyError(reason: Error & { code?: string }): Error {
  return reason.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
    ? new errors.SecureProxyConnectionError(reason)
    : reason;
}

function timedOut(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ETIMEDOUT';
}
