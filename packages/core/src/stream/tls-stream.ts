import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { CipherNameAndProtocol, DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import type {
  Connection,
  ConnectionDetails,
  NativeError,
  Outcome,
  QuestionKind,
} from '@node-aws-lc/native';
import {
  TlsError,
  disconnectedInHandshake,
  fromNative,
  verificationCode,
  type TlsSide,
} from '../errors';
import type { KtlsPolicy } from '../ktls/policy';
import {
  isKtlsSettled,
  ktlsEligibility,
  ktlsState,
  ktlsStatus,
  type KtlsEligibility,
  type KtlsPlan,
  type KtlsStatus,
} from '../ktls/status';
import { toNegotiated, type Negotiated } from './negotiated';
import { PeerCertificates } from './peer-certificates';
import { Questions, Refusal, type Answerers } from './questions';
import { WRITE_SLAB, takeRead, writeSlab } from './slabs';
import type { TakenTransport } from './take-over';

type Callback = (error?: Error | null) => void;
type Chunk = Buffer | Uint8Array | string;

interface EncodedChunk {
  chunk: Chunk;
  encoding: BufferEncoding;
}

/** Newer versions of Node take these in one object. */
interface KeepAliveOptions {
  enable?: boolean | undefined;
  initialDelay?: number | undefined;
}

/** What the acceptor or connector makes a stream of. */
export interface TlsStreamInit {
  side: TlsSide;
  connection: Connection;
  transport: Duplex;
  ktls: KtlsPolicy;
  /** What the connection was told to ask of the kernel. */
  ktlsPlan: KtlsPlan;
  strictClose: boolean;
  allowHalfOpen: boolean;
  highWaterMark: number | undefined;
  /** Server: whether a client certificate was asked for. */
  requestsCertificate: boolean;
  /** Client: judges the peer's name; answers what makes it unauthorised, if anything does. */
  checkIdentity?: (certificate: PeerCertificate) => Error | undefined;
  /** Client: whether an unauthorised peer is refused. */
  rejectUnauthorized: boolean;
  /** Answers what the handshake asks beside the peer's identity. */
  answerers?: Answerers | undefined;
  /** Called once, when the handshake is over. */
  onHandshake: (error?: Error) => void;
}

/** bad_certificate (RFC 8446, section 6.2): what a certificate of another name is refused with. */
const ALERT_BAD_CERTIFICATE = 42;
const PEER_IDENTITY = 1;

/**
 * One TLS connection: a Duplex of plaintext with the surface of `tls.TLSSocket`. Made by `TlsAcceptor` and
 * `TlsConnector`, with the handshake complete.
 *
 * 'end' comes after the peer's close_notify, or after a FIN without one (see `closeNotifyReceived` and the option
 * `strictClose`). `end()` sends close_notify after the last byte (RFC 8446, section 6.1). Errors are {@link TlsError}.
 */
export class TlsStream extends net.Socket {
  /** Always true. */
  readonly encrypted = true;
  /** Whether the peer presented a certificate that was verified, its name included. */
  authorized = false;
  /** Why the peer is not authorised: one of Node's verification codes, or null. */
  authorizationError: string | null = null;

  readonly #side: TlsSide;
  readonly #init: TlsStreamInit;
  readonly #transport: Duplex;
  #connection: Connection | undefined;
  #overDescriptor = false;
  #details: ConnectionDetails | undefined;
  #negotiated: Negotiated | undefined;
  #eligibility: KtlsEligibility | undefined;
  #ktls: KtlsStatus = { tx: false, rx: false, reason: 'the handshake is not complete' };
  #ktlsSettled = true;
  #certificates: PeerCertificates | undefined;
  #questions: Questions | undefined;
  #closeNotifyReceived = false;
  #reading = false;
  #transportPaused = false;
  #writeCallback: Callback | undefined;
  #peerName: object | undefined;
  #socketName: object | undefined;
  #lastSession: Buffer | undefined;
  #bytesRead = 0;
  #bytesDispatched = 0;

  /** @internal */
  constructor(init: TlsStreamInit) {
    const { allowHalfOpen, highWaterMark } = init;
    // net.Socket hands these to the stream below it.
    super({
      allowHalfOpen,
      highWaterMark,
      readable: true,
      writable: true,
    } as net.SocketConstructorOpts);
    this.#init = init;
    this.#side = init.side;
    this.#connection = init.connection;
    this.#transport = init.transport;
  }

  /** @internal Begins the handshake on a transport that was taken over. */
  startHandshake(taken: TakenTransport): void {
    const connection = this.#connection as Connection;
    this.#overDescriptor = taken.fd >= 0;
    // Whoever made the transport may give it up; a descriptor that we have duplicated would not tell.
    this.#transport.on('error', (error: Error) => this.#fail(error));
    this.#transport.on('close', () => this.#onTransportClose());
    if (taken.fd < 0) this.#attachDuplex();
    connection.start(this, taken.fd, taken.early);
    taken.release();
  }

  #attachDuplex(): void {
    const transport = this.#transport;
    transport.on('data', (chunk: Chunk) => {
      const bytes =
        typeof chunk === 'string'
          ? Buffer.from(chunk, transport.readableEncoding ?? 'utf8')
          : chunk;
      if (this.#connection?.feed(bytes) === false) {
        this.#transportPaused = true;
        transport.pause();
      }
    });
    transport.on('end', () => this.#connection?.feedEof());
    // Whoever looked at the first bytes and put them back has paused it; a listener alone does not undo that.
    transport.resume();
  }

  // --- events of the native connection ---------------------------------------------------------

  /** @internal */
  onQuestion(kind: QuestionKind, number: number, detail: number, name: string, data: Buffer): void {
    this.#questions ??= new Questions(this.#connection as Connection, {
      ...this.#init.answerers,
      [PEER_IDENTITY]: (question) => this.#judgePeer(question.detail),
    });
    this.#questions.ask(kind, number, { detail, name, data });
  }

  #judgePeer(verifyResult: number): void {
    this.authorizationError = verificationCode(verifyResult) ?? null;
    if (this.authorizationError !== null) return;
    const error = this.#judgeIdentity();
    if (error === undefined) return;
    if (this.#init.rejectUnauthorized) throw new Refusal(ALERT_BAD_CERTIFICATE, error);
    this.authorizationError = (error as NodeJS.ErrnoException).code ?? error.message;
  }

  #judgeIdentity(): Error | undefined {
    try {
      const verdict: unknown = this.#init.checkIdentity?.(
        this.#peerCertificates().toLegacyObject(),
      );
      // As node:tls has it: whatever is falsy is no objection.
      if (!verdict) return undefined;
      if (verdict instanceof Error) return verdict;
      const message = 'checkServerIdentity answered something that is no Error';
      return new TlsError('ERR_AWS_LC_IDENTITY_CHECK', message, {
        side: this.#side,
        cause: verdict,
      });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** @internal */
  onHandshake(failure?: NativeError): void {
    const { onHandshake } = this.#init;
    this.#questions?.close();
    if (failure !== undefined) {
      onHandshake(this.#explain(failure));
      return;
    }
    const details = (this.#connection as Connection).details() as ConnectionDetails;
    this.#details = details;
    this.#negotiated = toNegotiated(details);
    this.#eligibility = ktlsEligibility(details.protocol, this.#negotiated.cipher);
    const refusal = this.#settleKtls(this.#connection as Connection);
    if (this.#side === 'server' && this.#init.requestsCertificate) {
      this.authorizationError = verificationCode(details.verifyResult) ?? null;
      this.authorized = this.authorizationError === null;
    } else if (this.#side === 'client') {
      this.authorized = this.authorizationError === null;
    }
    onHandshake(refusal);
    // Alerts and tickets are to be seen even while nobody reads, but not before whoever waits for the promise has had
    // a chance to listen for them: nextTicks, which deliver what is here already, run before promises do.
    queueMicrotask(() => {
      if (!this.destroyed) this.read(0);
    });
  }

  #explain(failure: NativeError): Error {
    const error = fromNative(failure, this.#side);
    const refusal: NodeJS.ErrnoException | undefined = this.#questions?.failure;
    if (refusal === undefined) return error;
    // Node's own error is completed; one that a user's function made is his.
    if (refusal.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return refusal;
    return Object.assign(refusal, { side: error.side, alert: error.alert });
  }

  // Answers what is missing, if kernel TLS is required.
  #settleKtls(connection: Connection): Error | undefined {
    const { ktls, ktlsPlan } = this.#init;
    const state = ktlsState(ktlsPlan, connection);
    this.#ktls = ktlsStatus(ktlsPlan, state, this.#eligibility as KtlsEligibility);
    this.#ktlsSettled = isKtlsSettled(ktlsPlan, state);
    const { tx, rx, reason } = this.#ktls;
    if (!this.#ktlsSettled || ((ktls.tx !== 'require' || tx) && (ktls.rx !== 'require' || rx))) {
      return undefined;
    }
    return new TlsError('ERR_AWS_LC_KTLS_REQUIRED', `kernel TLS is required: ${reason}`, {
      side: this.#side,
    });
  }

  /** @internal */
  onRead(length: number, sessions?: Buffer[]): void {
    const chunk = takeRead(length);
    this.#bytesRead += length;
    this.#touch();
    try {
      for (const session of sessions ?? []) this.onSession(session);
    } finally {
      // A listener that throws must not cost the data that came along.
      this.#accept(chunk);
    }
  }

  #accept(chunk: Buffer): void {
    if (!this.#ktlsSettled && this.#connection !== undefined) {
      const refusal = this.#settleKtls(this.#connection);
      if (refusal !== undefined) this.destroy(refusal);
    }
    if (this.push(chunk)) {
      this.#resumeTransport();
      return;
    }
    this.#reading = false;
    this.#connection?.readStop();
  }

  /** @internal */
  onEnd(closeNotify: boolean): void {
    this.#closeNotifyReceived = closeNotify;
    if (!closeNotify && this.#init.strictClose) {
      this.destroy(
        new TlsError('ERR_AWS_LC_TRUNCATED', 'the connection ended without close_notify', {
          side: this.#side,
        }),
      );
      return;
    }
    this.push(null);
    // 'end' comes, and a stream that is not half-open ends its other half, even while nobody reads.
    if (this.readableLength === 0) this.read(0);
  }

  /** @internal */
  onWritten(failure?: NativeError): void {
    const callback = this.#writeCallback;
    this.#writeCallback = undefined;
    this.#touch();
    callback?.(failure && fromNative(failure, this.#side));
  }

  /** @internal */
  onError(failure: NativeError): void {
    this.destroy(fromNative(failure, this.#side));
  }

  /** @internal */
  onOutput(ciphertext: Buffer): void {
    this.#transport.write(ciphertext, () => this.#connection?.delivered());
  }

  /** @internal */
  onSession(session: Buffer): void {
    this.#lastSession = session;
    this.emit('session', session);
  }

  #onTransportClose(): void {
    if (this.#details === undefined) this.#init.onHandshake(disconnectedInHandshake(this.#side));
    else if (this.#overDescriptor) this.destroy();
    else this.#connection?.feedEof();
  }

  #fail(error: Error): void {
    if (this.#details === undefined) this.#init.onHandshake(error);
    else this.destroy(error);
  }

  // --- Duplex ----------------------------------------------------------------------------------

  /** @internal */
  override _read(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#details === undefined) return;
    if (!this.#reading) {
      this.#reading = true;
      if (connection.readStart()) process.nextTick(() => this.#connection?.deliver());
      this.#resumeTransport();
    }
  }

  #resumeTransport(): void {
    if (!this.#transportPaused) return;
    this.#transportPaused = false;
    this.#transport.resume();
  }

  /** @internal */
  override _write(chunk: Chunk, encoding: BufferEncoding, callback: Callback): void {
    this.#writeChunks([{ chunk, encoding }], callback);
  }

  /** @internal */
  override _writev(chunks: EncodedChunk[], callback: Callback): void {
    this.#writeChunks(chunks, callback);
  }

  #writeChunks(chunks: EncodedChunk[], callback: Callback): void {
    const connection = this.#connection;
    if (connection === undefined) {
      callback(writeAfterClose());
      return;
    }
    const outcome = fitsSlab(chunks)
      ? this.#writeSlab(connection, chunks)
      : this.#writeBuffers(connection, chunks);
    this.#touch();
    this.#settle(outcome, callback);
  }

  #writeSlab(connection: Connection, chunks: EncodedChunk[]): Outcome {
    const length = fillSlab(chunks);
    this.#bytesDispatched += length;
    return connection.writeSlab(length);
  }

  #writeBuffers(connection: Connection, chunks: EncodedChunk[]): Outcome {
    const buffers = chunks.map(({ chunk, encoding }) =>
      typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
    );
    for (const buffer of buffers) this.#bytesDispatched += buffer.length;
    return connection.write(buffers);
  }

  #settle(outcome: Outcome, callback: Callback): void {
    if (outcome === 0) {
      callback();
    } else if (outcome === 1) {
      this.#writeCallback = callback;
    } else {
      const failure = this.#connection?.lastError();
      callback(failure && 'kind' in failure ? fromNative(failure, this.#side) : writeAfterClose());
    }
  }

  /** @internal */
  override _final(callback: Callback): void {
    const connection = this.#connection;
    if (connection === undefined) {
      callback();
      return;
    }
    this.#settle(connection.shutdown(), (error) => {
      if (!this.#overDescriptor) this.#transport.end();
      callback(error);
    });
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const connection = this.#connection;
    if (connection !== undefined) {
      // Addresses are asked for in 'close' handlers, when the descriptor is gone.
      this.#rememberAddresses(connection);
      connection.close();
      this.#connection = undefined;
    }
    this.#questions?.close();
    this.setTimeout(0);
    this.#transport.destroy();
    const pending = this.#writeCallback;
    this.#writeCallback = undefined;
    pending?.(error ?? writeAfterClose());
    callback(error);
    // net.Socket has streams not emit it, because of its argument.
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** Closes at once with a TCP RST, without close_notify: the peer sees a connection that was cut. */
  override resetAndDestroy(): this {
    this.#connection?.reset();
    if (!this.#overDescriptor) (this.#transport as Partial<net.Socket>).resetAndDestroy?.();
    return this.destroy();
  }

  #bytesSentAtTimeout = 0;

  /** @internal A large write in progress is activity, though nobody is called back in the middle of it. */
  _onTimeout(): void {
    const sent = this.#connection?.bytesSent() ?? 0;
    const progressed = this.#writeCallback !== undefined && sent !== this.#bytesSentAtTimeout;
    this.#bytesSentAtTimeout = sent;
    if (progressed) this.#touch();
    else this.emit('timeout');
  }

  #touch(): void {
    (this as unknown as { _unrefTimer(): void })._unrefTimer();
  }

  /** Sends what is buffered and close_notify, closes, and waits until that has happened. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      this.once('close', () => resolve());
      this.destroySoon();
    });
  }

  // --- what the handshake agreed on ------------------------------------------------------------

  /** What the handshake agreed on. */
  get negotiated(): Negotiated {
    return this.#negotiated as Negotiated;
  }

  /** Whether the kernel does the record layer, by direction, and why not. */
  get ktls(): KtlsStatus {
    if (!this.#ktlsSettled && this.#connection !== undefined) this.#settleKtls(this.#connection);
    return this.#ktls;
  }

  /** Whether the kernel does the record layer in both directions. */
  get ktlsActive(): boolean {
    const { tx, rx } = this.ktls;
    return tx && rx;
  }

  /** Whether protocol and cipher suite are ones that the kernel can take. */
  get ktlsEligibility(): KtlsEligibility {
    return this.#eligibility as KtlsEligibility;
  }

  /** Whether the peer has ended its half with close_notify, so that nothing was cut off. */
  get closeNotifyReceived(): boolean {
    return this.#closeNotifyReceived;
  }

  /** The ALPN protocol, or false where none was agreed on. */
  get alpnProtocol(): string | false {
    return this.#negotiated?.alpn ?? false;
  }

  /** The name that the client asked for (SNI), or false where it asked for none. */
  get servername(): string | false {
    return this.#negotiated?.serverName ?? false;
  }

  /** The protocol version. */
  getProtocol(): string | null {
    return this.#details?.protocol ?? null;
  }

  /** The cipher suite as `node:tls` describes it. */
  getCipher(): CipherNameAndProtocol | undefined {
    if (this.#details === undefined) return undefined;
    const { cipherName, cipher, cipherVersion } = this.#details;
    return { name: cipherName ?? '', standardName: cipher ?? '', version: cipherVersion ?? '' };
  }

  /** Whether an earlier session was resumed. */
  isSessionReused(): boolean {
    return this.#details?.resumed ?? false;
  }

  /**
   * The session, to resume it with the option `session`. TLS 1.3 delivers it after the handshake: wait for the event
   * 'session' (RFC 8446, section 4.6.1).
   */
  getSession(): Buffer | undefined {
    return this.#lastSession ?? this.#connection?.session();
  }

  #peerCertificates(): PeerCertificates {
    return (this.#certificates ??= new PeerCertificates(
      this.#connection?.peerCertificates() ?? [],
      () => this.#connection?.verifiedCertificates() ?? [],
    ));
  }

  /**
   * The peer's certificate as `node:tls` describes it; an empty object where it presented none.
   *
   * @param detailed with the issuers, as far as the peer sent them, in `issuerCertificate`
   */
  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate;
  getPeerCertificate(detailed = false): PeerCertificate {
    return detailed
      ? this.#peerCertificates().toDetailedObject()
      : this.#peerCertificates().toLegacyObject();
  }

  /** The peer's certificate, or undefined where it presented none. */
  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#peerCertificates().leaf;
  }

  /**
   * Changes the keys that this side sends under and asks the peer to change its own (KeyUpdate; RFC 8446, section
   * 4.6.3). Happens by itself before the cipher's limit is reached.
   *
   * @returns when the KeyUpdate is on its way, behind what was written before
   * @throws TlsError `ERR_AWS_LC_KEY_UPDATE` before TLS 1.3, after `end()`, and where the kernel sends and cannot change
   *   keys (Linux older than 6.14)
   */
  async updateKeys(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.write('', (error) => (error ? reject(error) : resolve()));
    });
    if (this.#connection?.updateKeys()) return;
    const why = this.ktls.tx
      ? 'the kernel cannot change keys'
      : 'it takes TLS 1.3 and an open connection';
    throw new TlsError('ERR_AWS_LC_KEY_UPDATE', `the keys cannot be updated: ${why}`, {
      side: this.#side,
    });
  }

  /** This side's Finished message (RFC 8446, section 4.4.4). */
  getFinished(): Buffer | undefined {
    return this.#connection?.finished();
  }

  /** The peer's Finished message. */
  getPeerFinished(): Buffer | undefined {
    return this.#connection?.peerFinished();
  }

  /**
   * Keying material bound to this connection (RFC 5705; RFC 8446, section 7.5).
   *
   * @param length bytes
   * @param label a label from the IANA registry, or one beginning with `EXPERIMENTAL`
   * @throws TlsError ERR_TLS_INVALID_STATE after the stream is closed
   */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    if (typeof label !== 'string') {
      throw Object.assign(new TypeError('label: expected a string'), {
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    // RFC 8446, section 7.1: the length is a uint16.
    if (!Number.isInteger(length) || length <= 0 || length > 0xffff) {
      throw Object.assign(new RangeError('length: expected 1 to 65535 bytes'), {
        code: 'ERR_OUT_OF_RANGE',
      });
    }
    const material = this.#connection?.exportKeyingMaterial(length, label, context);
    if (material !== undefined) return material;
    throw new TlsError('ERR_TLS_INVALID_STATE', 'the stream is closed', { side: this.#side });
  }

  // --- net.Socket, which asks a handle that is not there ---------------------------------------

  /** tcp(7) TCP_NODELAY */
  override setNoDelay(noDelay = true): this {
    this.#connection?.setNoDelay(noDelay);
    return this;
  }

  /** @param initialDelay milliseconds until the first probe; 0 leaves the system's */
  override setKeepAlive(enable?: boolean | KeepAliveOptions, initialDelay?: number): this {
    const options = typeof enable === 'object' ? enable : { enable, initialDelay };
    const seconds = Math.floor((options.initialDelay ?? 0) / 1000);
    this.#connection?.setKeepAlive(options.enable ?? false, seconds);
    return this;
  }

  /** Lets this connection keep the process alive (the default). */
  override ref(): this {
    this.#connection?.setReferenced(true);
    if (!this.#overDescriptor) (this.#transport as Partial<net.Socket>).ref?.();
    return this;
  }

  /** Does not let this connection alone keep the process alive. */
  override unref(): this {
    this.#connection?.setReferenced(false);
    if (!this.#overDescriptor) (this.#transport as Partial<net.Socket>).unref?.();
    return this;
  }

  // net.Socket declares these as properties, so that a class that has accessors in their place does not type-check.
  static {
    const accessor = <T>(get: (this: TlsStream) => T): PropertyDescriptor => ({
      configurable: true,
      get,
    });
    Object.defineProperties(this.prototype, {
      // Bytes of plaintext, those still buffered included where they are written, as node:tls counts.
      bytesRead: accessor(function () {
        return this.#bytesRead;
      }),
      bytesWritten: accessor(function () {
        return this.#bytesDispatched + bufferedBytes(this);
      }),
      pending: accessor(() => false),
      readyState: accessor(function () {
        if (this.readable && this.writable) return 'open';
        if (this.readable) return 'readOnly';
        return this.writable ? 'writeOnly' : 'closed';
      }),
    });
  }

  #rememberAddresses(connection: Connection): void {
    if (!this.#overDescriptor) return;
    this.#peerName ??= connection.peerName();
    this.#socketName ??= connection.socketName();
  }

  /** @internal What net.Socket's address properties ask. */
  _getpeername(): object {
    if (!this.#overDescriptor) return addressOf(this.#transport, 'remote');
    return (this.#peerName ??= this.#connection?.peerName() ?? {});
  }

  /** @internal */
  _getsockname(): object {
    if (!this.#overDescriptor) return addressOf(this.#transport, 'local');
    return (this.#socketName ??= this.#connection?.socketName() ?? {});
  }

  override address(): net.AddressInfo | object {
    return this._getsockname();
  }
}

function addressOf(transport: Duplex, end: 'local' | 'remote'): object {
  const socket = transport as unknown as Record<string, unknown>;
  const address = socket[`${end}Address`];
  if (address === undefined) return {};
  return { address, family: socket[`${end}Family`], port: socket[`${end}Port`] };
}

function bufferedBytes(stream: Duplex): number {
  const { writableBuffer } = stream as unknown as { writableBuffer?: EncodedChunk[] };
  let bytes = 0;
  for (const { chunk, encoding } of writableBuffer ?? []) {
    bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
  }
  return bytes;
}

function writeAfterClose(): Error {
  return Object.assign(new Error('Cannot write: the connection is closed'), {
    code: 'ERR_STREAM_DESTROYED',
  });
}

function fitsSlab(chunks: EncodedChunk[]): boolean {
  let bound = 0;
  for (const { chunk } of chunks) {
    // No encoding makes more than three bytes of a UTF-16 unit.
    bound += typeof chunk === 'string' ? chunk.length * 3 : chunk.length;
    if (bound > WRITE_SLAB) return false;
  }
  return true;
}

function fillSlab(chunks: EncodedChunk[]): number {
  let length = 0;
  for (const { chunk, encoding } of chunks) {
    if (typeof chunk === 'string') {
      length += writeSlab.write(chunk, length, encoding);
    } else {
      writeSlab.set(chunk, length);
      length += chunk.length;
    }
  }
  return length;
}
