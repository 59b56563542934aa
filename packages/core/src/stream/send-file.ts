import * as native from '@node-aws-lc/native';
import type { Connection, NativeError, Outcome } from '@node-aws-lc/native';
import type { FileHandle } from 'node:fs/promises';
import { abortError } from '../errors';

/** Options of `TlsStream.sendFile()`. */
export interface SendFileOptions {
  /** Offset of the first byte; 0. */
  start?: number | undefined;
  /** Offset of the last byte, which is sent too; the end of the file. */
  end?: number | undefined;
  /**
   * Gives up. Nothing has happened to the stream if no byte had been sent; else it is destroyed, because the peer could
   * not tell what comes next from the rest of the file.
   */
  signal?: AbortSignal | undefined;
}

/** One file on its way, from the call of `sendFile()` on. */
export class FileTransfer {
  /** Resolves with the bytes that were sent. */
  readonly done: Promise<number>;
  readonly #source: native.FileSource;
  readonly #signal: AbortSignal | undefined;
  #settled = false;
  #connection: Connection | undefined;
  #resolve!: (sent: number) => void;
  #reject!: (error: Error) => void;

  /**
   * @throws what `sendFile()` rejects with at once
   */
  constructor(file: FileHandle | number, options: SendFileOptions) {
    const { start, end } = checkRange(options);
    const signal = checkSignal(options.signal);
    this.#source = new native.FileSource(descriptorOf(file), start, end + 1);
    const failure = this.#source.failure();
    if (failure !== undefined) {
      this.#source.close();
      throw fileError(failure);
    }
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** Bytes that were sent so far. */
  get sent(): number {
    return this.#source.sent();
  }

  /** Whether it was given up, or is done. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Begins; it is this file's turn. */
  begin(connection: Connection): Outcome {
    this.#connection = connection;
    return connection.sendFile(this.#source);
  }

  /** The connection has done with the file. Answers what the stream has to fail with, if anything. */
  end(failure: Error | null | undefined): Error | undefined {
    const source = this.#source;
    const error = failure ?? this.#failure();
    this.#settle();
    if (error === undefined) {
      this.#resolve(source.sent());
      return undefined;
    }
    this.#reject(error);
    return failure || source.sent() > 0 ? error : undefined;
  }

  /** The stream has failed, or its turn will not come. */
  fail(error: Error): void {
    this.#settle();
    this.#reject(error);
  }

  #failure(): Error | undefined {
    const failure = this.#source.failure();
    if (failure !== undefined) return fileError(failure);
    return this.#source.complete() ? undefined : abortError(this.#signal as AbortSignal);
  }

  readonly #onAbort = (): void => {
    if (this.#connection === undefined) this.fail(abortError(this.#signal as AbortSignal));
    else this.#connection.cancelFile();
  };

  #settle(): void {
    this.#settled = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#source.close();
  }
}

function descriptorOf(file: unknown): number {
  const fd = typeof file === 'object' ? (file as { fd?: unknown } | null)?.fd : file;
  if (typeof fd !== 'number') throw typeError('file: expected a FileHandle or a file descriptor');
  // A FileHandle that was closed has -1, which is then no open descriptor.
  const lowest = typeof file === 'object' ? -1 : 0;
  if (!Number.isInteger(fd) || fd < lowest || fd > 0x7fffffff) {
    throw rangeError('file: expected a file descriptor, 0 to 2147483647');
  }
  return fd;
}

function checkRange(options: unknown): { start: number; end: number } {
  if (typeof options !== 'object' || options === null) {
    throw typeError('options: expected an object');
  }
  const { start = 0, end = Infinity } = options as SendFileOptions;
  for (const [name, offset] of Object.entries({ start, end })) {
    if (typeof offset !== 'number') throw typeError(`${name}: expected a number`);
    const valid =
      (Number.isSafeInteger(offset) && offset >= 0) || (name === 'end' && offset === Infinity);
    if (!valid) throw rangeError(`${name}: expected an offset, 0 to 2^53 - 1`);
  }
  if (end < start) throw rangeError(`end: expected ${start} or more, the offset of the last byte`);
  return { start, end };
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (!(signal instanceof AbortSignal)) throw typeError('signal: expected an AbortSignal');
  if (signal.aborted) throw abortError(signal);
  return signal;
}

function typeError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

function rangeError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

/** As node:fs has it. */
function fileError({ errno, code, description, syscall }: NativeError & { kind: 'system' }): Error {
  return Object.assign(new Error(`${code}: ${description}, ${syscall}`), { errno, code, syscall });
}
