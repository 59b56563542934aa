import type { Connection, NativeError, Outcome } from '@node-aws-lc/native';
import type { FileHandle } from 'node:fs/promises';
import type net from 'node:net';
import { TlsError, fromNative } from '../errors';
import { NegotiatedSocket } from './negotiated-socket';
import { FileTransfer, type SendFileOptions } from './send-file';
import { WRITE_SLAB, takeRead, writeSlab } from './slabs';
import { findTurn, markTurn, type Turn } from './turns';

type Callback = (error?: Error | null) => void;
type Chunk = Buffer | Uint8Array | string;

interface EncodedChunk {
  chunk: Chunk;
  encoding: BufferEncoding;
}

/** The Duplex proper: plaintext between Node's streams and the native connection. */
export abstract class PlaintextStream extends NegotiatedSocket {
  /** @internal Whether an end without close_notify is an error. */
  protected _strictClose = false;
  #closeNotifyReceived = false;
  #reading = false;
  // Somebody has asked for data before the handshake was complete; streams ask only once.
  #readEarly = false;
  #transportPaused = false;
  #comesBack = false;
  #writeCallback: Callback | undefined;
  // Whether the end follows what is written now, and whether that waits for it.
  #isEnding = false;
  #holds = false;
  // What was written, or the end, before the handshake was complete.
  #held: ((callback: Callback) => void) | undefined;
  readonly #files = new Set<FileTransfer>();
  #fileInProgress: FileTransfer | undefined;

  /** Whether the peer has ended its half with close_notify, so that nothing was cut off. */
  get closeNotifyReceived(): boolean {
    return this.#closeNotifyReceived;
  }

  // --- reading ---------------------------------------------------------------------------------

  /** @internal */
  onRead(length: number, sessions: Buffer[] | undefined, more: boolean): void {
    const chunk = takeRead(length);
    if (more) this.#comeBack();
    this._countRead(length);
    this._touch();
    try {
      for (const session of sessions ?? []) this.onSession(session);
    } finally {
      // A listener that throws must not cost the data that came along.
      this.#accept(chunk);
    }
  }

  // Several at a time would each go on for a turn of its own.
  #comeBack(): void {
    if (this.#comesBack) return;
    this.#comesBack = true;
    setImmediate(() => {
      this.#comesBack = false;
      this._connection?.deliver();
    });
  }

  #accept(chunk: Buffer): void {
    if (this._deliver(chunk)) {
      this.#resumeTransport();
      return;
    }
    this.#reading = false;
    this._connection?.readStop();
  }

  /** @internal Hands plaintext to whoever reads; answers whether there may be more of it. */
  protected _deliver(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  /** @internal */
  onEnd(closeNotify: boolean): void {
    this.#closeNotifyReceived = closeNotify;
    if (!closeNotify && this._strictClose) {
      this.destroy(
        new TlsError('ERR_AWS_LC_TRUNCATED', 'the connection ended without close_notify', {
          side: this._side,
        }),
      );
      return;
    }
    this.push(null);
    // 'end' comes, and a stream that is not half-open ends its other half, even while nobody reads.
    if (this.readableLength === 0) this.read(0);
  }

  /** @internal */
  override _read(): void {
    const connection = this._connection;
    if (this._details === undefined) this.#readEarly = true;
    if (connection === undefined || this._details === undefined) return;
    if (!this.#reading) {
      this.#reading = true;
      if (connection.readStart()) process.nextTick(() => this._connection?.deliver());
      this.#resumeTransport();
    }
  }

  /** @internal Reads though nobody may have asked to. */
  protected _beginReading(): void {
    if (this.destroyed) return;
    if (this.#readEarly) this._read();
    else this.read(0);
  }

  /** @internal Hands ciphertext to the connection, and holds the transport back when that is enough. */
  protected _feed(ciphertext: Buffer): void {
    if (this._connection?.feed(ciphertext) !== false) return;
    this.#transportPaused = true;
    this._transport?.pause();
  }

  #resumeTransport(): void {
    if (!this.#transportPaused) return;
    this.#transportPaused = false;
    this._transport?.resume();
  }

  // --- writing ---------------------------------------------------------------------------------

  /** @internal */
  protected override get _isWriting(): boolean {
    return this.#writeCallback !== undefined;
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
    const connection = this._connection;
    if (this._details === undefined) {
      this.#hold((settled) => this.#writeChunks(chunks, settled), callback);
      return;
    }
    if (connection === undefined) {
      callback(writeAfterClose());
      return;
    }
    const found = findTurn(chunks);
    if (found !== undefined) {
      this.#writeAroundTurn(chunks, found, callback);
      return;
    }
    const outcome = fitsSlab(chunks)
      ? this.#writeSlab(connection, chunks)
      : this.#writeBuffers(connection, chunks);
    this._touch();
    this.#settle(outcome, callback);
  }

  #writeSlab(connection: Connection, chunks: EncodedChunk[]): Outcome {
    const length = fillSlab(chunks);
    this._countWritten(length);
    this.#holds = this.#isEnding;
    return connection.writeSlab(length, this.#holds);
  }

  #writeBuffers(connection: Connection, chunks: EncodedChunk[]): Outcome {
    const buffers = chunks.map(({ chunk, encoding }) =>
      typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
    );
    for (const buffer of buffers) this._countWritten(buffer.length);
    return connection.write(buffers);
  }

  #writeAroundTurn(
    chunks: EncodedChunk[],
    { at, turn }: { at: number; turn: Turn },
    callback: Callback,
  ): void {
    const goOn =
      (next: () => void): Callback =>
      (error) =>
        error ? callback(error) : next();
    const writeRest = (): void => {
      if (at + 1 === chunks.length) callback();
      else this.#writeChunks(chunks.slice(at + 1), callback);
    };
    const take = (): void => {
      if (this._connection === undefined) callback(writeAfterClose());
      else turn(this._connection, goOn(writeRest));
    };
    if (at === 0) take();
    else this.#writeChunks(chunks.slice(0, at), goOn(take));
  }

  #sendFile(file: FileTransfer, connection: Connection, callback: Callback): void {
    if (file.settled) {
      callback();
      return;
    }
    this.#fileInProgress = file;
    this._touch();
    this.#settle(file.begin(connection), (failure) => {
      this.#fileInProgress = undefined;
      this._countWritten(file.sent);
      callback(file.end(failure));
    });
  }

  #settle(outcome: Outcome, callback: Callback): void {
    if (outcome === 0) {
      callback();
    } else if (outcome === 1) {
      this.#writeCallback = callback;
    } else {
      callback(this.#lastFailure());
    }
  }

  #lastFailure(): Error {
    const failure = this._connection?.lastError();
    return failure && 'kind' in failure ? fromNative(failure, this._side) : writeAfterClose();
  }

  /**
   * Sends a file, or a part of it, in its turn among the writes: with sendfile(2) where the kernel seals the records
   * (`ktls.tx`), else by reading and sealing it. Neither blocks the event loop nor holds more than 64 KiB of the file.
   * The file's own position is neither used nor changed, and it is left open; it may be closed as soon as this has been
   * called. Several may be under way at once, of one file too; they are sent one after another.
   *
   * A failure in the middle of the file (its own, or `signal`) destroys the stream, because the peer could not tell what
   * comes next from the rest of it; one before its first byte leaves the stream as it was.
   *
   * @param file a regular file that is open for reading: a FileHandle or a descriptor
   * @returns the number of bytes that were handed to the operating system: fewer than asked for where the file ends
   *   earlier, or has become shorter meanwhile
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   * @throws Error with the code of the file system: `EBADF` (closed, or not open for reading), `EISDIR`, `ESPIPE` (no file
   *   with positions, such as a pipe), `EIO`, …
   * @throws Error `ABORT_ERR`, `ERR_STREAM_WRITE_AFTER_END` after `end()`, `ERR_STREAM_DESTROYED`, and what the stream is
   *   destroyed with meanwhile
   */
  async sendFile(file: FileHandle | number, options: SendFileOptions = {}): Promise<number> {
    const transfer = new FileTransfer(file, options);
    this.#files.add(transfer);
    const refusal = this.#refusalToWrite();
    if (refusal !== undefined) transfer.fail(refusal);
    else this.write(markTurn((connection, next) => this.#sendFile(transfer, connection, next)));
    try {
      return await transfer.done;
    } finally {
      this.#files.delete(transfer);
    }
  }

  /** @internal Does something behind what was written before, and ahead of what will be. */
  protected _inTurn(action: (connection: Connection) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const marker = markTurn((connection, next) => {
        try {
          action(connection);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        next();
      });
      // Where its turn does not come.
      this.write(marker, (error) => error && reject(error));
    });
  }

  #refusalToWrite(): Error | undefined {
    if (this.destroyed) return this.errored ?? writeAfterClose();
    if (!this.writableEnded) return undefined;
    return Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
  }

  /** @internal */
  protected override get _bytesOfFile(): number {
    return this.#fileInProgress?.sent ?? 0;
  }

  #hold(write: (callback: Callback) => void, callback: Callback): void {
    this.#held = write;
    this.#writeCallback = callback;
  }

  /** @internal Writes what was held back until the handshake was complete. */
  protected _releaseHeld(): void {
    const held = this.#held;
    const callback = this.#writeCallback;
    if (held === undefined || callback === undefined) return;
    this.#held = undefined;
    this.#writeCallback = undefined;
    held(callback);
  }

  /** @internal Tells whoever waits for a write that it comes to nothing. */
  protected _abandonWrite(error: Error | null): void {
    const pending = this.#writeCallback;
    this.#held = undefined;
    this.#writeCallback = undefined;
    pending?.(error ?? writeAfterClose());
  }

  /** @internal */
  onWritten(failure?: NativeError): void {
    const callback = this.#writeCallback;
    this.#writeCallback = undefined;
    this._touch();
    callback?.(failure && fromNative(failure, this._side));
  }

  /** @internal */
  onError(failure: NativeError): void {
    this.destroy(fromNative(failure, this._side));
  }

  /** @internal */
  onOutput(ciphertext: Buffer): void {
    this._transport?.write(ciphertext, () => this._connection?.delivered());
  }

  // --- somebody else's plaintext -----------------------------------------------------------------

  /**
   * @internal Gives the plaintext to a descriptor, both ways, so that it need not pass through JavaScript. The stream
   * keeps what is not plaintext: its ends, its errors and its time-out. Undefined where there is no descriptor to read
   * from or none left to be had, or something is being written.
   */
  _openPlaintextSocket(): number | undefined {
    const connection = this._connection;
    if (connection === undefined || !this._overDescriptor || this.writableLength > 0) {
      return undefined;
    }
    const chunks: Buffer[] = [];
    for (let chunk: unknown; (chunk = this.read()) !== null;) chunks.push(chunk as Buffer);
    const before = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
    let fd: number;
    try {
      fd = connection.openPlaintextSocket(before);
    } catch {
      // Out of descriptors (EMFILE, ENFILE), perhaps because strangers hold them all: no reason to fail, there is another
      // way that needs none.
      if (before !== undefined) this.unshift(before);
      return undefined;
    }
    // The descriptor counts them too.
    this._countRead(-(before?.length ?? 0));
    this._isPumped = true;
    // What the peer's end calls for is for whoever has the descriptor to say, behind what he is still writing.
    this.allowHalfOpen = true;
    this.resume();
    return fd;
  }

  /** @internal */
  onPlaintextEnd(): void {
    this.end();
  }

  // --- ending ----------------------------------------------------------------------------------

  /** As of `stream.Writable`. The last bytes, close_notify and TCP's FIN go out together where they are few. */
  override end(callback?: () => void): this;
  override end(chunk: Uint8Array | string, callback?: () => void): this;
  override end(chunk: Uint8Array | string, encoding?: BufferEncoding, callback?: () => void): this;
  override end(...args: unknown[]): this {
    this.#isEnding = this._overDescriptor && this.writableLength === 0;
    try {
      return (super.end as (...args: unknown[]) => this)(...args);
    } finally {
      this.#isEnding = false;
      // Where the end has to wait for something.
      if (this.#holds) this.#releaseHold();
    }
  }

  #releaseHold(): void {
    this.#holds = false;
    const outcome = this._connection?.writeSlab(0, false);
    if (outcome === 2) this.destroy(this.#lastFailure());
  }

  /** @internal */
  override _final(callback: Callback): void {
    const connection = this._connection;
    if (this._details === undefined) {
      this.#hold((settled) => this._final(settled), callback);
      return;
    }
    if (connection === undefined) {
      callback();
      return;
    }
    this.#holds = false;
    this.#settle(connection.shutdown(), (error) => {
      if (!this._overDescriptor) this._transport?.end();
      callback(error);
    });
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    const connection = this._connection;
    if (connection !== undefined) {
      this._rememberPumped(connection);
      this._rememberKtls(connection);
      connection.close();
      this._release(connection);
    }
    this._abandonWrite(error);
    for (const file of this.#files) file.fail(error ?? writeAfterClose());
    callback(error);
    // After the call above: who watches both hears what happened before he hears that the transport is closed.
    this._transport?.destroy();
    // net.Socket has streams not emit it, because of its argument.
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** Closes at once with a TCP RST, without close_notify: the peer sees a connection that was cut. */
  override resetAndDestroy(): this {
    this._connection?.reset();
    if (!this._overDescriptor) {
      (this._transport as Partial<net.Socket> | undefined)?.resetAndDestroy?.();
    }
    return this.destroy();
  }
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
