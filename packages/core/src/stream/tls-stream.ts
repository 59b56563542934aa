import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import { inspect, type InspectOptions } from 'node:util';
import type { Connection, NativeError, QuestionKind } from '@node-aws-lc/native';
import { serveWith } from '../config/client-hello';
import type { ServerConfig } from '../config/server-config';
import { trace } from '../diagnostics/channels';
import { show } from '../diagnostics/inspect';
import { describeMessage } from '../diagnostics/messages';
import { observe, type Observation } from '../diagnostics/observation';
import {
  ALERT_INTERNAL_ERROR,
  TlsError,
  disconnectedInHandshake,
  fromNative,
  verificationCode,
  type TlsSide,
} from '../errors';
import type { KtlsIntent } from './negotiated-socket';
import { PlaintextStream } from './plaintext-stream';
import { Questions, Refusal, type Answerers } from './questions';
import type { TakenTransport } from './take-over';

/** What a stream is made with. */
export interface TlsStreamOptions {
  side: TlsSide;
  allowHalfOpen: boolean;
  highWaterMark: number | undefined;
  /** What net.Socket does with its handle once it has connected itself. */
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  keepAliveInitialDelay?: number | undefined;
}

/** One handshake, as the acceptor or connector wants it. */
export interface TlsStreamInit extends KtlsIntent {
  connection: Connection;
  /** What carries the ciphertext; undefined where the stream has connected itself. */
  transport: Duplex | undefined;
  strictClose: boolean;
  /** Client: the name that is asked for. */
  serverName?: string | undefined;
  /** Client: judges the peer's name; answers what makes it unauthorised, if anything does. */
  checkIdentity?: (certificate: PeerCertificate) => Error | undefined;
  /** Client: whether an unauthorised peer is refused. */
  rejectUnauthorized: boolean;
  /** Answers what the handshake asks beside the peer's identity. */
  answerers?: Answerers | undefined;
  /** Called with each line of the key log. */
  keylog?: ((line: Buffer) => void) | undefined;
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
export class TlsStream extends PlaintextStream {
  // Until the handshake is over: an idle connection should not hold what it does not need.
  #init: TlsStreamInit | undefined;
  #keylog: TlsStreamInit['keylog'];
  #questions: Questions | undefined;
  #observation: Observation | undefined;
  #traceLabel: string | undefined;

  /** @internal */
  constructor(options: TlsStreamOptions) {
    super(options.side, {
      allowHalfOpen: options.allowHalfOpen,
      highWaterMark: options.highWaterMark,
      readable: true,
      writable: true,
      noDelay: options.noDelay,
      keepAlive: options.keepAlive,
      keepAliveInitialDelay: options.keepAliveInitialDelay,
      // net.Socket sets these in its copy anyway. Where they are new to it, Node 20 finds no shape for the copy and takes
      // 13 µs for a constructor of 0.5 µs.
      emitClose: false,
      autoDestroy: true,
      decodeStrings: false,
    });
  }

  /** @internal Begins the handshake on a transport that was taken over. */
  startHandshake(init: TlsStreamInit, taken: TakenTransport): void {
    const { connection, transport } = init;
    this.#init = init;
    this.#keylog = init.keylog;
    this._connection = connection;
    this._transport = transport;
    this._overDescriptor = taken.fd >= 0;
    this._strictClose = init.strictClose;
    this._intendKtls(init);
    if (transport !== undefined) this.#watch(transport);
    this.#observation = observe(this, this._side, init);
    connection.start(this, taken.fd, taken.early);
    if (!taken.referenced) connection.setReferenced(false);
    taken.release();
  }

  #watch(transport: Duplex): void {
    // Whoever made the transport may give it up; a descriptor that we have duplicated would not tell.
    transport.on('error', (error: Error) => this.#fail(error));
    transport.on('close', () => this.#onTransportClose());
    if (this._overDescriptor) return;
    transport.on('data', (chunk: Buffer | string) => {
      this._feed(
        typeof chunk === 'string'
          ? Buffer.from(chunk, transport.readableEncoding ?? 'utf8')
          : chunk,
      );
    });
    transport.on('end', () => this._connection?.feedEof());
    // Whoever looked at the first bytes and put them back has paused it; a listener alone does not undo that.
    transport.resume();
  }

  #onTransportClose(): void {
    if (this._details === undefined) this.#init?.onHandshake(disconnectedInHandshake(this._side));
    else if (this._overDescriptor) this.destroy();
    else this._connection?.feedEof();
  }

  #fail(error: Error): void {
    if (this._details === undefined) this.#init?.onHandshake(error);
    else this.destroy(error);
  }

  /** @internal */
  onQuestion(kind: QuestionKind, number: number, detail: number, name: string, data: Buffer): void {
    this.#questions ??= new Questions(this._connection as Connection, {
      ...this.#init?.answerers,
      [PEER_IDENTITY]: (question) => this.#judgePeer(question.detail),
    });
    this.#questions.ask(kind, number, { detail, name, data });
  }

  /** @internal Server, while its ClientHello is being looked at: serves the client with another configuration. */
  protected _useConfig(config: ServerConfig): void {
    if (this.#questions !== undefined) serveWith(this.#questions, config);
  }

  /** @internal */
  onKeyLog(line: Buffer): void {
    try {
      this.#keylog?.(line);
    } catch (error) {
      // It is nothing to do with the handshake that goes on beneath.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** @internal */
  onTrace(sent: boolean, contentType: number, data: Buffer): void {
    this.#traceLabel ??= this.#labelTrace();
    trace(
      `${this.#traceLabel}: ${sent ? 'Sent' : 'Received'} ${describeMessage(contentType, data)}`,
    );
  }

  // Made once: at the end of a connection nobody knows its peer any more.
  #labelTrace(): string {
    const { remoteAddress, remotePort } = this;
    return remoteAddress === undefined
      ? this._side
      : `${this._side} ${remoteAddress}:${remotePort}`;
  }

  #judgePeer(verifyResult: number): void {
    this.authorizationError = verificationCode(verifyResult) ?? null;
    if (this.authorizationError !== null) return;
    const error = this.#judgeIdentity();
    if (error === undefined) return;
    if (this.#init?.rejectUnauthorized) throw new Refusal(ALERT_BAD_CERTIFICATE, error);
    this.authorizationError = (error as NodeJS.ErrnoException).code ?? error.message;
  }

  #judgeIdentity(): Error | undefined {
    try {
      const verdict: unknown = this.#init?.checkIdentity?.(
        this._peerCertificates().toLegacyObject(),
      );
      // As node:tls has it: whatever is falsy is no objection.
      if (!verdict) return undefined;
      if (verdict instanceof Error) return verdict;
      const message = 'checkServerIdentity answered something that is no Error';
      return new TlsError('ERR_AWS_LC_IDENTITY_CHECK', message, {
        side: this._side,
        cause: verdict,
      });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** @internal */
  onHandshake(failure?: NativeError): void {
    const { onHandshake } = this.#init as TlsStreamInit;
    this.#init = undefined;
    this.#questions?.close();
    if (failure !== undefined) {
      const error = this.#explain(failure);
      this.#observation?.failed(error, this._connection?.details()?.[2]);
      onHandshake(error);
      return;
    }
    this.#questions = undefined;
    const connection = this._connection as Connection;
    const details = this._settleNegotiated(connection);
    const refusal = this._settleKtls(connection);
    if (this._side === 'client') this.authorized = this.authorizationError === null;
    else if (details.verifiesPeer) this._judgeChain(details.verifyResult);
    if (refusal === undefined) {
      this.#observation?.secured();
    } else {
      // An end in good order would look as if there were nothing to say.
      connection.refuse(ALERT_INTERNAL_ERROR);
      this.#observation?.failed(refusal, details.serverName);
    }
    onHandshake(refusal);
    // Alerts and tickets are to be seen even while nobody reads, but not before whoever waits for the promise has had
    // a chance to listen for them: nextTicks, which deliver what is here already, run before promises do.
    queueMicrotask(() => this._beginReading());
    // libssl would hold them back for ever on a server that only reads. Whoever has something to say at once says it
    // before, and the tickets go along in the same packet.
    if (this._side === 'server') setImmediate(() => this._connection?.sendTickets());
  }

  #explain(failure: NativeError): Error {
    // Sent as a fatal alert, too, a close_notify says no more than that the peer hung up.
    if (failure.kind === 'protocol' && failure.reason === 'SSLV3_ALERT_CLOSE_NOTIFY') {
      return disconnectedInHandshake(this._side);
    }
    const error = fromNative(failure, this._side);
    const refusal: NodeJS.ErrnoException | undefined = this.#questions?.failure;
    if (refusal === undefined) return error;
    // Node's own error is completed; one that a user's function made is his.
    if (refusal.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return refusal;
    return Object.assign(refusal, { side: error.side, alert: error.alert });
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#questions?.close();
    // Asked for while there is a connection that knows it.
    const serverName = this.#observation && (this.servername || null);
    super._destroy(error, callback);
    this.#observation?.closed(error, serverName);
    this.#observation = undefined;
  }

  /**
   * Changes the keys that this side sends under and asks the peer to change its own (KeyUpdate; RFC 8446, section
   * 4.6.3). Happens by itself before the cipher's limit is reached.
   *
   * @returns when the KeyUpdate is on its way: behind what was written before, ahead of what is written from now on and
   *   of the end
   * @throws TlsError `ERR_AWS_LC_KEY_UPDATE` before TLS 1.3, after `end()`, and where the kernel sends and cannot change
   *   keys (Linux older than 6.14)
   */
  async updateKeys(): Promise<void> {
    if (this.destroyed) throw this.#refuseKeyUpdate('the stream is destroyed');
    if (this.writableEnded) throw this.#refuseKeyUpdate('the stream has been ended');
    await this._inTurn((connection) => {
      if (connection.updateKeys()) return;
      const protocol = this.getProtocol();
      if (protocol !== 'TLSv1.3') {
        throw this.#refuseKeyUpdate(`it takes TLSv1.3, this is ${protocol}`);
      }
      const canRekey = !this.ktls.tx || this._canRekey;
      throw this.#refuseKeyUpdate(
        canRekey ? 'the connection is closing' : 'the kernel cannot change keys (Linux 6.14 can)',
      );
    });
  }

  #refuseKeyUpdate(why: string): TlsError {
    return new TlsError('ERR_AWS_LC_KEY_UPDATE', `the keys cannot be updated: ${why}`, {
      side: this._side,
    });
  }

  /** What matters, and nothing secret. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    const secured = this._details !== undefined;
    return show(this, depth, options, {
      side: this._side,
      readyState: this.readyState,
      ...(secured ? this.negotiated : { handshake: 'not complete' }),
      authorized: this.authorized,
      authorizationError: this.authorizationError ?? undefined,
      ktls: secured ? this.ktls : undefined,
      remoteAddress: secured ? this.remoteAddress : undefined,
      remotePort: secured ? this.remotePort : undefined,
      bytesRead: this.bytesRead,
      bytesWritten: this.bytesWritten,
      closeNotifyReceived: this.closeNotifyReceived,
    });
  }
}
