import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import { serverInit } from '../acceptor';
import { clientInit } from '../connector';
import type { ServerConfig } from '../config/server-config';
import { ConfigError, disconnectedInHandshake } from '../errors';
import { isReady, takeOver, takeOwnHandle, untilReady } from '../stream/take-over';
import { markTaken, requireTransport } from '../handshake';
import { TlsStream, type TlsStreamInit } from '../stream/tls-stream';
import { convertALPNProtocols } from './alpn-protocols';
import { assignable } from './assignable';
import {
  requireBoolean,
  requireBuffer,
  requireFunction,
  requireInteger,
  requireObject,
  requireString,
  withCode,
} from './node-errors';
import {
  answerersOf,
  checkCallbacks,
  toAsks,
  type ALPNCallback,
  type SNICallback,
} from './client-hello';
import { SecureContext, type ServerPolicy } from './secure-context';

/** Options of `new TLSSocket(socket, options)`; what is not named here is `createSecureContext`'s. */
export interface TLSSocketOptions {
  isServer?: boolean | undefined;
  server?: net.Server | undefined;
  requestCert?: boolean | undefined;
  rejectUnauthorized?: boolean | undefined;
  ALPNProtocols?: readonly string[] | Uint8Array | undefined;
  session?: Buffer | undefined;
  secureContext?: SecureContext | undefined;
  allowHalfOpen?: boolean | undefined;
  highWaterMark?: number | undefined;
  pauseOnConnect?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Server: answers the context for the name that a client asks for, in its callback. */
  SNICallback?: SNICallback | undefined;
  /** Server: chooses one of the protocols that a client offers; undefined refuses it. */
  ALPNCallback?: ALPNCallback | undefined;
  /** Client: asks for a stapled OCSP response, see the event 'OCSPResponse'. */
  requestOCSP?: boolean | undefined;
  [option: string]: unknown;
}

/** What a server does with a connection of its own. */
export interface ConnectionOwner {
  onSecure(socket: TLSSocket): void;
  onFailure(error: Error, socket: TLSSocket): void;
}

/** What `onread` of `net.connect` is: data goes into the caller's buffer, without events. */
interface OnRead {
  buffer: Uint8Array | (() => Uint8Array);
  callback: (bytes: number, buffer: Uint8Array) => boolean;
}

/** Answers what is wrong with a certificate for a host. */
export type CheckServerIdentity = (
  hostname: string,
  certificate: PeerCertificate,
) => Error | undefined;

/** What `connect` knows of the server that is called. */
export interface PeerExpectation {
  hostname: string;
  checkServerIdentity: CheckServerIdentity | undefined;
  /** Joins an ECONNRESET during the handshake. */
  address: { path: unknown; host: unknown; port: unknown; localAddress: unknown };
}

/** Curves by the names and sizes that OpenSSL has for them. */
const CURVES: Record<string, { name: string; size: number }> = {
  'P-224': { name: 'secp224r1', size: 224 },
  'P-256': { name: 'prime256v1', size: 256 },
  'P-384': { name: 'secp384r1', size: 384 },
  'P-521': { name: 'secp521r1', size: 521 },
  X25519: { name: 'X25519', size: 253 },
};

/** The class behind {@link TLSSocket}, which can be called without `new`. */
class TlsSocket extends TlsStream {
  /** Whether the handshake is still to be completed. */
  secureConnecting = true;
  /** The server that accepted this connection. */
  readonly server: net.Server | undefined;

  readonly #options: TLSSocketOptions;
  readonly #context: SecureContext;
  readonly #owner: ConnectionOwner | undefined;
  readonly #socket: Duplex | undefined;
  readonly #onread: OnRead | undefined;
  #expectation: PeerExpectation | undefined;
  #servername: string | undefined;
  #session: Buffer | undefined;
  #started = false;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #waiting: AbortController | undefined;
  #failed = false;
  /** Server: what the client is served with, once that was chosen. */
  #serving: SecureContext | undefined;
  #maxSendFragment: number | undefined;
  #traces: boolean;

  constructor(socket?: Duplex | null, given: TLSSocketOptions = {}, owner?: ConnectionOwner) {
    const options = { ...given };
    if (options.enableTrace != null) requireBoolean(options.enableTrace, 'options.enableTrace');
    if (options.ALPNProtocols) convertALPNProtocols(options.ALPNProtocols, options);
    super({
      side: options.isServer ? 'server' : 'client',
      allowHalfOpen: Boolean(socket ? socket.allowHalfOpen : options.allowHalfOpen),
      highWaterMark: options.highWaterMark,
      noDelay: options.noDelay as boolean | undefined,
      keepAlive: options.keepAlive as boolean | undefined,
      keepAliveInitialDelay: options.keepAliveInitialDelay as number | undefined,
    });
    if (options.isServer) checkCallbacks(options);
    const context = options.secureContext ?? assignable().createSecureContext(options);
    if (!(context instanceof SecureContext)) {
      throw withCode(new TypeError('context must be a SecureContext'), 'ERR_TLS_INVALID_CONTEXT');
    }
    this.#options = options;
    this.#context = context;
    this.#owner = owner;
    this.#session = options.session;
    this.#traces = options.enableTrace === true;
    this.#socket = socket ?? undefined;
    this.#onread = socket ? undefined : (options.onread as OnRead | undefined);
    this.server = options.server;
    this.on('error', ignoreEarlyError);
    if (socket) this.#await(socket);
    else this.once('connect', () => this._start());
    if (options.pauseOnConnect) this.pause();
    if (options.signal) addAbortSignal(options.signal, this);
    if (Number(options.handshakeTimeout) > 0) {
      this.#limitHandshake(Number(options.handshakeTimeout));
    }
  }

  // --- before the handshake --------------------------------------------------------------------

  #await(socket: Duplex): void {
    requireTransport(socket, this._side);
    markTaken(socket);
    this._transport = socket;
    if (socket instanceof net.Socket) {
      // What net.Socket has its time-outs run along.
      (this as unknown as { _parent: net.Socket })._parent = socket;
    }
    socket.once('close', () => this.#onSocketClose());
    if ((socket as net.Socket).connecting) {
      this.#setConnecting(true);
      socket.once('connect', () => {
        this.#setConnecting(false);
        this.emit('connect');
      });
    }
    // Whoever made this socket has a chance to configure it, and its transport.
    process.nextTick(() => this._start());
  }

  #onSocketClose(): void {
    if (this.secureConnecting) this.#settle(disconnectedInHandshake(this._side));
    else if (this._overDescriptor) this.destroy();
  }

  #setConnecting(connecting: boolean): void {
    (this as { connecting: boolean }).connecting = connecting;
  }

  #limitHandshake(milliseconds: number): void {
    const timedOut = (): void => {
      const error = withCode(new Error('TLS handshake timeout'), 'ERR_TLS_HANDSHAKE_TIMEOUT');
      this.#settle(error);
    };
    this.#handshakeTimer = setTimeout(timedOut, milliseconds).unref();
  }

  /** Connects a socket that was made without a transport; arguments as of `net.Socket.connect`. */
  override connect(...args: unknown[]): this {
    // An AbortSignal may have been quicker.
    if (this.destroyed) return this;
    const socket = this.#socket as net.Socket | undefined;
    const { connect: inherited } = net.Socket.prototype as {
      connect: (this: net.Socket, ...args: unknown[]) => net.Socket;
    };
    inherited.apply(socket ?? this, args);
    return this;
  }

  /** @internal Errors of the connection concern whoever made it from here on. */
  _releaseControl(expectation?: PeerExpectation): void {
    this.off('error', ignoreEarlyError);
    this.#expectation = expectation;
  }

  /** Sets the name that is asked for (SNI; RFC 6066), until the handshake begins. */
  setServername(name: string): void {
    requireString(name, 'name');
    if (this.#options.isServer) {
      const error = new Error('Cannot issue SNI from a TLS server-side socket');
      throw withCode(error, 'ERR_TLS_SNI_FROM_SERVER');
    }
    this.#servername = name;
  }

  /** Sets the session to resume, until the handshake begins. */
  setSession(session: string | Buffer): void {
    this.#session = typeof session === 'string' ? Buffer.from(session, 'latin1') : session;
  }

  override getSession(): Buffer | undefined {
    return super.getSession() ?? this.#session;
  }

  // --- the handshake ---------------------------------------------------------------------------

  /** @internal Begins the handshake, as soon as the transport is there. */
  _start(): void {
    if (this.#started || this.destroyed) return;
    this.#started = true;
    const socket = this.#socket;
    if (socket === undefined) {
      this.#begin(() => takeOwnHandle(this, this._side));
    } else if (isReady(socket)) {
      this.#begin(() => takeOver(socket, this._side, { keepsTimeout: true }));
    } else {
      this.#waiting = new AbortController();
      untilReady(socket, this.#waiting.signal, this._side).then(
        () => this.#begin(() => takeOver(socket, this._side, { keepsTimeout: true })),
        (error: Error) => this.#settle(error),
      );
    }
  }

  #begin(take: () => ReturnType<typeof takeOver>): void {
    if (this.destroyed) return;
    try {
      const onHandshake = (error?: Error): void => this.#settle(error);
      const init = this.#init();
      if (this.#traces) init.connection.enableTrace();
      this.startHandshake({ ...init, transport: this.#socket, onHandshake }, take());
      if (this.#maxSendFragment !== undefined) super.setMaxSendFragment(this.#maxSendFragment);
    } catch (error) {
      this.#settle(error as Error);
    }
  }

  #init(): Omit<TlsStreamInit, 'transport' | 'onHandshake'> {
    const keylog = this.#keyLog();
    if (this._side === 'server') {
      const policy = this.#policy();
      const init = serverInit(this.#context.serverConfig(policy), { keylog });
      // Beside the configuration's own, which sign where the private key is elsewhere.
      const answerers = { ...init.answerers, ...answerersOf(this, this.#options, policy) };
      return { ...init, answerers };
    }
    const { requestOCSP, rejectUnauthorized } = this.#options;
    const config = this.#context.clientConfig({
      rejectUnauthorized: Boolean(rejectUnauthorized),
      requestOCSP: Boolean(requestOCSP),
    });
    const options = {
      keylog,
      ALPNProtocols: this.#options.ALPNProtocols as Uint8Array | undefined,
      checkIdentity: () => this.#checkIdentity(),
    };
    try {
      return clientInit(config, this.#servername, { ...options, session: this.#session });
    } catch (error) {
      // A session of another library, or none at all: node:tls shakes hands in full then.
      if (!(error instanceof ConfigError) || error.option !== 'session') throw error;
      return clientInit(config, this.#servername, options);
    }
  }

  #policy(): ServerPolicy {
    const { requestCert, rejectUnauthorized, ALPNProtocols } = this.#options;
    return {
      requestCert: Boolean(requestCert),
      rejectUnauthorized: Boolean(rejectUnauthorized),
      ALPNProtocols: ALPNProtocols as Uint8Array | undefined,
      asks: toAsks(this.#options),
    };
  }

  // Only where somebody listens: whoever has the secrets can decrypt the connection.
  #keyLog(): ((line: Buffer) => void) | undefined {
    return this.listenerCount('keylog') > 0 ? (line) => this.emit('keylog', line) : undefined;
  }

  #checkIdentity(): Error | undefined {
    const { hostname, checkServerIdentity } = this.#expectation ?? {};
    if (hostname === undefined) return undefined;
    return checkServerIdentity?.(hostname, this.getPeerCertificate(true));
  }

  #settle(error?: Error): void {
    if (this.destroyed || !this.secureConnecting) return;
    clearTimeout(this.#handshakeTimer);
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    if (this.#options.requestOCSP && this._side === 'client') {
      this.emit('OCSPResponse', this.ocspResponse ?? null);
      if (!this.#isAlive()) return;
    }
    this.secureConnecting = false;
    // Whoever made the socket himself has not said whom he means to talk to.
    if (this._side === 'client' && this.#expectation === undefined) this.authorized = false;
    this._releaseHeld();
    this.emit('secure');
    if (this.#isAlive() && this._side === 'client') this.emit('secureConnect');
    if (this.#isAlive()) this.#owner?.onSecure(this);
  }

  // A listener may have destroyed it.
  #isAlive(): boolean {
    return !this.destroyed;
  }

  #fail(error: Error): void {
    this.#failed = true;
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') error = this.#explainReset(error);
    this.emit('_tlsError', error);
    this.#owner?.onFailure(error, this);
    this.destroy(error);
  }

  #explainReset(error: Error): Error {
    if (this._side === 'client') return Object.assign(error, this.#expectation?.address);
    return withCode(new Error('socket hang up', { cause: error }), 'ECONNRESET');
  }

  // --- data ------------------------------------------------------------------------------------

  /** @internal */
  protected override _deliver(chunk: Buffer): boolean {
    const onread = this.#onread;
    if (onread === undefined) return super._deliver(chunk);
    let goOn = true;
    for (let offset = 0; offset < chunk.length;) {
      const buffer = typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer;
      const length = Math.min(buffer.length, chunk.length - offset);
      buffer.set(chunk.subarray(offset, offset + length));
      offset += length;
      if (onread.callback(length, buffer) === false) goOn = false;
    }
    return goOn;
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#handshakeTimer);
    this.#waiting?.abort();
    if (this.secureConnecting && !this.#failed && this.#owner !== undefined) {
      const failure = error ?? disconnectedInHandshake(this._side);
      process.nextTick(() => this.#owner?.onFailure(failure, this));
    }
    if (this._connection !== undefined || this.#socket !== undefined) {
      super._destroy(error, callback);
      return;
    }
    // Nothing but a handle of its own, which net.Socket knows how to close.
    this._abandonWrite(error);
    net.Socket.prototype._destroy.call(this, error, callback);
  }

  // --- what node:tls has besides ---------------------------------------------------------------

  /**
   * The key exchange, on a client: `{ type: 'ECDH', name, size }`, or an empty object where it was none with elliptic
   * curves alone (see `negotiated.group`). Null on a server.
   */
  getEphemeralKeyInfo(): { type?: string; name?: string; size?: number } | null {
    if (this._side === 'server') return null;
    const curve = this._details && CURVES[this.negotiated.group];
    return curve === undefined ? {} : { type: 'ECDH', ...curve };
  }

  /** The protocol version; null before the handshake and, as in `node:tls`, after the end. */
  override getProtocol(): string | null {
    return this.destroyed ? null : super.getProtocol();
  }

  /** The peer's certificate with its chain, as it was sent, in `issuerCertificate`; undefined where there is none. */
  override getPeerX509Certificate(): X509Certificate | undefined {
    return this._peerCertificates().leafOfChain;
  }

  override exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    requireInteger(length, 'length', 1, 2 ** 32 - 1);
    requireString(label, 'label');
    if (context !== undefined) requireBuffer(context, 'context');
    if (this._details === undefined || this.destroyed) {
      const error = new Error('TLS socket connection must be securely established');
      throw withCode(error, 'ERR_TLS_INVALID_STATE');
    }
    return super.exportKeyingMaterial(length, label, context);
  }

  /** This side's certificate as `node:tls` describes it; an empty object where it showed none. */
  getCertificate(): PeerCertificate | object | null {
    if (this.destroyed) return null;
    return this.getX509Certificate()?.toLegacyObject() ?? {};
  }

  /** This side's certificate, or undefined where it showed none. */
  getX509Certificate(): X509Certificate | undefined {
    const [leaf] = this._connection?.localCertificates()?.chain ?? [];
    return leaf && new X509Certificate(leaf);
  }

  /** @internal */
  _serveWith(context: SecureContext): ServerConfig {
    this.#serving = this.#context.serving(context);
    return this.#serving.serverConfig(this.#policy());
  }

  /**
   * Server, from within `SNICallback` or `ALPNCallback`, where it is `this`: proves itself with another context's
   * certificate. Nothing else of that context counts, and later it has no effect.
   *
   * @param context a SecureContext, or options to make one of
   */
  setKeyCert(context: SecureContext | object): void {
    const made =
      context instanceof SecureContext ? context : assignable().createSecureContext(context);
    this.#serving = (this.#serving ?? this.#context).provenBy(made);
    this._useConfig(this.#serving.serverConfig(this.#policy()));
  }

  /** As the inherited one; before the transport is connected it is kept for the handshake. */
  override setMaxSendFragment(size?: number): boolean {
    requireInteger(size, 'size', -(2 ** 31), 2 ** 31 - 1);
    if (this.#started || this.destroyed) return super.setMaxSendFragment(size);
    const isValid = Number.isInteger(size) && size >= 512 && size <= 16_384;
    if (isValid) this.#maxSendFragment = size;
    return isValid;
  }

  /**
   * Prints a line on standard error for each record and each message of the handshake from now on; records that the kernel
   * makes are not seen.
   */
  enableTrace(): void {
    this.#traces = true;
    this._connection?.enableTrace();
  }

  /** The ticket of the session, on a client: that of the session that was resumed, as long as there is no newer one. */
  override getTLSTicket(): Buffer | undefined {
    const offered = this.isSessionReused() ? this.#session : undefined;
    return super.getTLSTicket() ?? (offered && this._connection?.ticketOf(offered));
  }

  /** Does nothing: AWS-LC does not renegotiate. */
  disableRenegotiation(): void {}

  /**
   * Fails: AWS-LC does not renegotiate, and TLS 1.3 cannot (see `updateKeys`).
   *
   * @returns false
   */
  renegotiate(options: object, callback?: (error: Error | null) => void): boolean {
    requireObject(options, 'options');
    if (callback !== undefined) {
      requireFunction(callback, 'callback');
      const [code, reason] =
        this.getProtocol() === 'TLSv1.3'
          ? ['ERR_SSL_WRONG_SSL_VERSION', 'wrong ssl version']
          : ['ERR_SSL_NO_RENEGOTIATION', 'no renegotiation'];
      const error = new Error(`SSL routines::${reason}`);
      process.nextTick(callback, Object.assign(error, { code, library: 'SSL routines', reason }));
    }
    return false;
  }
}

function ignoreEarlyError(): void {
  // As in node:tls nobody has to listen for errors of a socket that is made over another one.
}

/** A TLS connection with `tls.TLSSocket`'s life: made first, connected and secured later. */
export type TLSSocket = TlsSocket;

interface TLSSocketConstructor {
  /**
   * @param socket the transport: a net.Socket, connected or not, or any Duplex; without one, `connect()` makes one
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_TLS_INVALID_CONTEXT, and what `createSecureContext` throws
   */
  new (socket?: Duplex | null, options?: TLSSocketOptions, owner?: ConnectionOwner): TLSSocket;
  (socket?: Duplex | null, options?: TLSSocketOptions): TLSSocket;
  readonly prototype: TLSSocket;
}

/** As `tls.TLSSocket`, with and without `new`; the events are 'secure', 'secureConnect' and those of `TlsStream`. */
export const TLSSocket = construct as unknown as TLSSocketConstructor;

function construct(...args: unknown[]): TLSSocket {
  const target = new.target as typeof TLSSocket | undefined;
  const made: unknown = Reflect.construct(TlsSocket, args, target ?? TLSSocket);
  return made as TLSSocket;
}

Object.defineProperty(TLSSocket, 'name', { value: 'TLSSocket' });
Object.setPrototypeOf(TLSSocket, TlsStream);
Object.defineProperty(TLSSocket, 'prototype', { value: TlsSocket.prototype });
Object.defineProperty(TlsSocket.prototype, 'constructor', {
  configurable: true,
  writable: true,
  value: TLSSocket,
});
