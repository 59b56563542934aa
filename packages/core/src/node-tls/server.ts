import { captureRejectionSymbol } from 'node:events';
import assert from 'node:assert';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { TICKET_KEY_LENGTH, TicketKeys, type TicketKeySet } from '../session/ticket-keys';
import { checkTicketKeys } from './context-options';
import { convertALPNProtocols } from './alpn-protocols';
import { assignable } from './assignable';
import {
  invalidArgType,
  requireBuffer,
  requireFunction,
  requireNumber,
  requireObject,
} from './node-errors';
import { checkCallbacks, type ALPNCallback, type SNICallback } from './client-hello';
import { SecureContext } from './secure-context';
import { ServerContexts } from './server-contexts';
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
  ticketKeys!: TicketKeys;
  readonly contexts = new ServerContexts();
  SNICallback: SNICallback | undefined;
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
  /** @internal What the constructor's listener gets in a connection's place; node:http2's servers have one. */
  declare _adaptSocket?: (this: TlsServer, socket: TLSSocket) => net.Socket;
  /** ALPN protocols in wire format. */
  declare ALPNProtocols: Uint8Array | undefined;
  /** Chooses one of the protocols that a client offers. */
  declare ALPNCallback: ALPNCallback | undefined;

  /**
   * Replaces keys, certificates and all else that `createSecureContext` takes, for the connections to come.
   *
   * @throws what `createSecureContext` throws; the old context then stays
   */
  setSecureContext(options: object): void {
    requireObject(options, 'options');
    const state = stateOf(this);
    const given = (options as { ticketKeys?: TicketKeySource | null }).ticketKeys;
    // Those that are given once stay, so that sessions outlive the next certificate.
    const ticketKeys = toTicketKeys(given) ?? state.ticketKeys;
    state.context = assignable().createSecureContext({ ...options, ticketKeys });
    state.ticketKeys = ticketKeys;
  }

  /**
   * Serves clients that ask for a name (SNI; RFC 6066) with a context of its own. Of several that match the last added
   * decides.
   *
   * @param servername a host name, in which `*` stands for any characters but a dot
   * @param context a SecureContext, or options to make one of
   * @throws Error ERR_TLS_REQUIRED_SERVER_NAME
   */
  addContext(servername: string, context: SecureContext | object): void {
    const made = context instanceof SecureContext ? context : undefined;
    const { contexts } = stateOf(this);
    contexts.add(servername, made ?? assignable().createSecureContext(context));
  }

  /** The 48 bytes that session tickets are sealed with: a secret. */
  getTicketKeys(): Buffer {
    return stateOf(this).ticketKeys.current;
  }

  /**
   * Seals session tickets with other keys, from the next ticket on.
   *
   * @param keys 48 secret random bytes
   */
  setTicketKeys(keys: NodeJS.ArrayBufferView): void {
    requireBuffer(keys);
    assert(keys.byteLength === TICKET_KEY_LENGTH, 'Session ticket keys must be a 48-byte buffer');
    stateOf(this).ticketKeys.set(toBuffer(keys));
  }

  /** @internal What node:cluster gives to the other workers that listen on the same port. */
  _getServerData(): { ticketKeys: string } {
    return { ticketKeys: this.getTicketKeys().toString('hex') };
  }

  /** @internal */
  _setServerData({ ticketKeys }: { ticketKeys: string }): void {
    this.setTicketKeys(Buffer.from(ticketKeys, 'hex'));
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

type TicketKeySource = TicketKeys | TicketKeySet | NodeJS.ArrayBufferView;

function toTicketKeys(keys: TicketKeySource | null | undefined): TicketKeys | undefined {
  if (keys === undefined || keys === null || keys instanceof TicketKeys) return keys ?? undefined;
  if (typeof keys === 'object' && !ArrayBuffer.isView(keys)) return new TicketKeys(keys);
  checkTicketKeys(keys);
  return new TicketKeys(toBuffer(keys));
}

function toBuffer({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function initialize(server: TlsServer, options: ServerOptions, listener?: SecureListener): void {
  const state = new ServerState();
  states.set(server, state);
  server.requestCert = options.requestCert === true;
  server.rejectUnauthorized = options.rejectUnauthorized !== false;
  if (options.ALPNProtocols) convertALPNProtocols(options.ALPNProtocols, server);
  checkCallbacks(options);
  server.ALPNCallback = (options.ALPNCallback as ALPNCallback | undefined) || undefined;
  state.SNICallback = (options.SNICallback as SNICallback | undefined) || undefined;
  const ticketKeys = options.ticketKeys as TicketKeySource | null | undefined;
  state.ticketKeys = toTicketKeys(ticketKeys) ?? new TicketKeys();
  server.setSecureContext({ ...options, ticketKeys: state.ticketKeys });
  state.handshakeTimeout = options.handshakeTimeout || state.handshakeTimeout;
  requireNumber(state.handshakeTimeout, 'options.handshakeTimeout');
  state.enableTrace = options.enableTrace;
  state.owner = ownerOf(server);
  if (listener) {
    const callback: unknown = listener;
    requireFunction(callback, 'secureConnectionListener');
    const adapt = server._adaptSocket;
    if (adapt === undefined) server.on('secureConnection', listener);
    else {
      server.on('secureConnection', (s: TLSSocket) => {
        listener.call(server, adapt.call(server, s) as TLSSocket);
      });
    }
  }
}

function sniCallbackOf({ SNICallback, contexts }: ServerState): SNICallback | undefined {
  if (SNICallback !== undefined || contexts.isEmpty) return SNICallback;
  return (servername, done) => done(null, contexts.find(servername));
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
      ALPNCallback: this.ALPNCallback,
      SNICallback: sniCallbackOf(stateOf(this)),
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
 * As `tls.Server`, with and without `new`. Events: 'secureConnection', 'tlsClientError', 'keylog',
 * 'OCSPRequest', 'newSession' and 'resumeSession' (TLS 1.2, for clients without tickets), and `net.Server`'s.
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
