import * as net from 'node:net';
import type { buildConnector } from 'undici';
import type { Settings } from './options';

/** Where a connection leads: what undici's call says, completed by the connector's options. */
export interface Route {
  readonly hostname: string;
  readonly port: number;
  /** The Unix socket to use instead of `hostname` and `port`. */
  readonly path: string | undefined;
  readonly localAddress: string | undefined;
}

/** Reads the route out of the arguments of a connect call. */
export function routeOf(call: buildConnector.Options, settings: Settings): Route {
  return {
    hostname: unbracketed(call.hostname),
    port: Number(call.port || 443),
    path: settings.socketPath ?? (call.socketPath || undefined),
    localAddress: call.localAddress ?? settings.route.localAddress,
  };
}

/**
 * The transport for a connect call: the caller's own socket, such as a tunnel through a proxy, or a
 * new one. Name lookup and the choice among addresses are `net.connect`'s.
 */
export function openSocket(
  call: buildConnector.Options,
  route: Route,
  settings: Settings,
): net.Socket {
  const { httpSocket } = call;
  if (httpSocket !== undefined) {
    return prepared(httpSocket, settings);
  }
  if (route.path !== undefined) {
    return net.connect({ path: route.path });
  }
  return net.connect({
    ...settings.route,
    localAddress: route.localAddress,
    host: route.hostname,
    port: route.port,
    noDelay: true,
  });
}

function prepared(socket: net.Socket, settings: Settings): net.Socket {
  const { keepAlive, keepAliveInitialDelay } = settings.route;
  // A tunnel may be any Duplex, and then there is nothing to set.
  if (socket instanceof net.Socket) {
    socket.setNoDelay(true);
    if (keepAlive) {
      socket.setKeepAlive(true, keepAliveInitialDelay);
    }
  }
  return socket;
}

/**
 * The name that the server must prove, which is the SNI too unless it is an IP address: the
 * request's Host header comes first (undici hands it over as `servername`), then the option, then
 * the origin.
 */
export function serverNameOf(call: buildConnector.Options, settings: Settings): string {
  const named = call.servername || settings.servername || nameIn(call.host);
  // undici names an `https:` proxy as its address does, brackets included.
  return unbracketed(named || call.hostname);
}

/** The name in `host`, which may have a port; an IP address there is no name. */
function nameIn(host: string | undefined): string | undefined {
  const name = host?.startsWith('[') ? undefined : host?.replace(/:\d*$/, '');
  return name === undefined || net.isIP(name) ? undefined : name;
}

/** A host name as the resolver takes it, of one as an address has it. */
export function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
