import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { cleartextRefused, proxyConnectionError } from './errors';
import type { Settings } from './options';
import { routeOf } from './socket';
import { connectTimeoutError, startTimer } from './timeout';

type Connect = buildConnector.connector;

/**
 * Connects in two steps: `tunnel`, which asks the proxy for a connection, then `secure`, which
 * speaks TLS on it.
 *
 * @param tunnel - undici's own function, which speaks no TLS inside if told that the origin is `http:`
 */
export function throughTunnel(tunnel: Connect, secure: Connect, settings: Settings): Connect {
  const { timeout, servername, allowCleartext } = settings;

  return (call, callback) => {
    const fail = (error: Error): void => callback(error, null);
    if (call.protocol !== 'https:') {
      if (allowCleartext) tunnel(call, callback);
      else process.nextTick(fail, cleartextRefused(call));
      return;
    }
    const deadline = new AbortController();
    const stopTimer = startTimer(timeout, () => deadline.abort());
    const request = {
      ...call,
      protocol: 'http:',
      host: call.port ? call.host : `${call.host}:443`,
      port: call.port || '443',
      signal: deadline.signal,
      // Has undici leave Proxy-Connection out, which says nothing about a tunnel and which a proxy
      // that speaks HTTP/2 must not be sent (RFC 9113, section 8.2.2).
      connections: 0,
    };
    tunnel(request, (error: Error | null, socket: unknown) => {
      stopTimer();
      if (deadline.signal.aborted) {
        (socket as Socket | null | undefined)?.destroy();
        fail(connectTimeoutError(undefined, routeOf(call, settings), timeout));
      } else if (error !== null) {
        fail(proxyConnectionError(error));
      } else {
        const name = servername ?? call.servername;
        secure({ ...call, servername: name, httpSocket: socket as Socket }, callback);
      }
    });
  };
}
