import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { cleartextRefused, connectError } from './errors';
import { http2ByDefault } from './http2-default';
import { socketForHttp2 } from './http2-socket';
import { type ConnectorOptions, readOptions } from './options';
import { SessionCache } from './session-cache';
import { openSocket, routeOf, serverNameOf } from './socket';
import { connectTimeoutError, startTimer } from './timeout';

/** The arguments of a connect call; `allowH2` is there when the client or agent was given it. */
type Call = buildConnector.Options & { allowH2?: boolean };

/**
 * Makes the function that undici's `Client`, `Pool` and `Agent` take as `connect`, so that their
 * TLS connections are AWS-LC's:
 *
 * ```ts
 * const agent = new Agent({ connect: createConnector({ ca }) });
 * await request('https://localhost:8443/', { dispatcher: agent });
 * ```
 *
 * The function calls back once, with a connection or an error: Node's codes for certificates and
 * sockets, `UND_ERR_CONNECT_TIMEOUT` when `timeout` has passed, `ERR_AWS_LC_CLEARTEXT` for an
 * `http:` origin. undici does not apply its own `connectTimeout`, `autoSelectFamily` and
 * `maxCachedSessions` to connector functions: give them here.
 *
 * @throws `ERR_AWS_LC_CONFIG_*` for TLS options that cannot work, and undici's
 *   `InvalidArgumentError` for those of its own
 */
export function createConnector(options: ConnectorOptions = {}): buildConnector.connector {
  const settings = readOptions(options);
  const connector = new TlsConnector(new ClientConfig(settings.tls));
  const sessions = new SessionCache(settings.maxCachedSessions);

  const secure = async (call: Call): Promise<Socket> => {
    const route = routeOf(call, settings);
    const serverName = serverNameOf(call, settings);
    // undici says no where a request can only go over HTTP/1.1: a WebSocket to a server whose HTTP/2
    // has none.
    const http2 = call.allowH2 !== false && (settings.allowH2 ?? call.allowH2 ?? http2ByDefault);
    const sessionKey = sessions.keyOf(route, serverName, http2);
    const socket = openSocket(call, route, settings);
    const deadline = new AbortController();
    const stopTimer = startTimer(settings.timeout, () =>
      deadline.abort(connectTimeoutError(socket, route, settings.timeout)),
    );
    try {
      const stream = await connector.connect(serverName, socket, {
        ALPNProtocols: http2 ? settings.http2Offer : ['http/1.1'],
        session: sessions.take(sessionKey, socket),
        highWaterMark: settings.highWaterMark,
        signal: deadline.signal,
      });
      sessions.fill(sessionKey, stream);
      const usable = stream.alpnProtocol === 'h2' ? socketForHttp2(stream) : stream;
      // undici takes its own listeners off when it gives a socket away (upgrade, CONNECT). Its
      // connector's listener stays, so that an error nobody waits for ends no process.
      return usable.on('error', () => {});
    } catch (error) {
      const reason = error as NodeJS.ErrnoException;
      throw deadline.signal.reason ?? connectError(reason, socket, route, settings.timeout);
    } finally {
      stopTimer();
    }
  };

  return (call, callback) => {
    if (call.protocol === 'https:') {
      secure(call).then(
        (usable) => callback(null, usable),
        (error: Error) => callback(error, null),
      );
      return;
    }
    if (!settings.allowCleartext) {
      process.nextTick(callback, cleartextRefused(call), null);
      return;
    }
    const { route, timeout } = settings;
    const socketPath = settings.socketPath ?? call.socketPath;
    buildConnector({ ...route, timeout, socketPath })(call, callback);
  };
}
