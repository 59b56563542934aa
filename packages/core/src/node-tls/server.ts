import { captureRejectionSymbol } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { convertALPNProtocols } from './alpn-protocols';
import { assignable } from './assignable';
import { invalidArgType, requireFunction, requireNumber, requireObject } from './node-errors';
import type { SecureContext } from './secure-context';
import { TLSSocket, type ConnectionOwner } from './tls-socket';

/** Options of `createServer`: `tls.createServer`'s, `net.createServer`'s, `createSecureContext`'s, and this library's. */
export interface ServerOptions extends net.ServerOpts {
  /** Whether clients are asked for a certificate. Default false. */
  requestCert?: boolean | undefined;
  /** With `requestCert`: whether a client without a good certificate is refused. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** ALPN protocols in order of preference (RFC 7301). */
  ALPNProtocols?: readonly string[] | Uint8Array | undefined;
  /** Milliseconds a handshake may take. Default 120 000. */
  handshakeTimeout?: number | undefined;
  [option: string]: unknown;
}

type SecureListener = (socket: TLSSocket) => void;

/** What a server keeps beside what net.Server does. */
class ServerState {
  readonly sockets = new Set<TLSSocket>();
  context!: SecureContext;
  handshakeTimeout = 120_000;
  enableTrace: unknown;
  owner!: ConnectionOwner;
}

const states = new WeakMap<net.Server, ServerState>();

function stateOf(server: net.Server): ServerState {
  return states.get(server) as ServerState;
}

/** The methods of {@link Server}, whose constructor node:https calls as a function, which no class allows. */
class TlsServer extends net.Server {
  /** Whether clients are asked for a certificate; looked at for every connection, as `rejectUnauthorized` is. */
  declare requestCert: boolean;
  /** Whether a client without a good certificate is refused. */
  declare rejectUnauthorized: boolean;
  /** ALPN protocols in wire format. */
  declare ALPNProtocols: Uint8Array | undefined;

  /**
   * Replaces keys, certificates and all else that `createSecureContext` takes, for the connections to come.
   *
   * @throws what `createSecureContext` throws; the old context then stays
   */
  setSecureContext(options: object): void {
    requireObject(options, 'options');
    stateOf(this).context = assignable().createSecureContext(options);
  }

  /** Destroys all connections, those in their handshake included. */
  closeAllConnections(): void {
    for (const socket of stateOf(this).sockets) socket.destroy();
  }

  /** @internal A listener that is asynchronous and fails takes its connection with it. */
  override [captureRejectionSymbol](error: Error, event: string, ...args: unknown[]): void {
    const [socket] = args as [Duplex | undefined];
    if (event === 'secureConnection' || event === 'connection') socket?.destroy(error);
    else this.emit('error', error);
  }
}

function initialize(server: TlsServer, options: ServerOptions, listener?: SecureListener): void {
  const state = new ServerState();
  states.set(server, state);
  server.requestCert = options.requestCert === true;
  server.rejectUnauthorized = options.rejectUnauthorized !== false;
  if (options.ALPNProtocols) convertALPNProtocols(options.ALPNProtocols, server);
  server.setSecureContext(options);
  state.handshakeTimeout = options.handshakeTimeout || state.handshakeTimeout;
  requireNumber(state.handshakeTimeout, 'options.handshakeTimeout');
  state.enableTrace = options.enableTrace;
  state.owner = ownerOf(server);
  if (listener) {
    requireFunction(listener, 'secureConnectionListener');
    server.on('secureConnection', listener);
  }
}

function ownerOf(server: TlsServer): ConnectionOwner {
  return {
    onSecure(socket) {
      socket._releaseControl();
      server.emit('secureConnection', socket);
    },
    onFailure(error, socket) {
      server.emit('tlsClientError', error, socket);
    },
  };
}

function onConnection(this: TlsServer, transport: net.Socket): void {
  const { context, handshakeTimeout, enableTrace, owner, sockets } = stateOf(this);
  const socket = new TLSSocket(
    transport,
    {
      secureContext: context,
      isServer: true,
      server: this,
      requestCert: this.requestCert,
      rejectUnauthorized: this.rejectUnauthorized,
      handshakeTimeout,
      ALPNProtocols: this.ALPNProtocols,
      enableTrace,
      pauseOnConnect: (this as unknown as { pauseOnConnect?: boolean }).pauseOnConnect,
    },
    owner,
  );
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  if (this.listenerCount('keylog') > 0) {
    socket.on('keylog', (line: Buffer) => this.emit('keylog', line, socket));
  }
}

/** A TLS server with `tls.Server`'s life. */
export type Server = TlsServer;

interface ServerConstructor {
  new (options?: ServerOptions | SecureListener | null, listener?: SecureListener): Server;
  (options?: ServerOptions | SecureListener | null, listener?: SecureListener): Server;
  readonly prototype: Server;
}

/**
 * As `tls.Server`, with and without `new`. Events: 'secureConnection', 'tlsClientError', 'keylog', and `net.Server`'s.
 *
 * @throws Node's own errors and ConfigError for options that cannot work or are not offered
 */
export const Server = construct as unknown as ServerConstructor;

function construct(
  this: unknown,
  options?: ServerOptions | SecureListener | null,
  listener?: SecureListener,
): Server | undefined {
  if (!(this instanceof TlsServer)) return new Server(options, listener);
  if (typeof options === 'function') {
    listener = options;
    options = {};
  } else if (options !== undefined && typeof options !== 'object') {
    throw invalidArgType('options', 'of type object', options);
  }
  initialize(this, options ?? {}, listener);
  const inherited = net.Server as unknown as (this: object, ...args: unknown[]) => void;
  inherited.call(this, options ?? {}, onConnection);
  return undefined;
}

Object.defineProperty(Server, 'name', { value: 'Server' });
Object.setPrototypeOf(Server, net.Server);
Object.defineProperty(Server, 'prototype', { value: TlsServer.prototype });
Object.defineProperty(TlsServer.prototype, 'constructor', {
  configurable: true,
  writable: true,
  value: Server,
});

/** As `tls.createServer`. */
export function createServer(
  options?: ServerOptions | SecureListener | null,
  listener?: SecureListener,
): Server {
  return new Server(options, listener);
}
