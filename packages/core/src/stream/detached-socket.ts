import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connection } from '@node-aws-lc/native';

/** Newer versions of Node take these in one object. */
interface KeepAliveOptions {
  enable?: boolean | undefined;
  initialDelay?: number | undefined;
}

/** What net.Socket has and its types do not name. */
interface SocketInternals {
  _unrefTimer(): void;
  _getpeername(): object;
  _getsockname(): object;
}

const inherited = net.Socket.prototype as unknown as SocketInternals;

/**
 * A net.Socket whose bytes go through a native connection: what net.Socket asks its handle, asked of the connection
 * instead. Until a connection is there the socket may be one that is still connecting, with a handle of its own.
 */
export abstract class DetachedSocket extends net.Socket {
  /** @internal Undefined before the handshake begins and after the end. */
  protected _connection: Connection | undefined;
  /** @internal What carries the ciphertext; undefined where the socket has connected itself. */
  protected _transport: Duplex | undefined;
  /** @internal Whether the connection has a descriptor of its own. */
  protected _overDescriptor = false;
  #closed: Connection | undefined;
  #peerName: object | undefined;
  #socketName: object | undefined;
  #bytesRead = 0;
  #bytesDispatched = 0;
  /** @internal Whether the plaintext passes JavaScript by. */
  protected _isPumped = false;
  #pumped: [toDescriptor: number, fromDescriptor: number] | undefined;
  #movedAtTimeout = 0;

  // --- time-outs -------------------------------------------------------------------------------

  /** @internal Whether somebody waits for a write to end. */
  protected abstract get _isWriting(): boolean;

  /** @internal Bytes that have been sent of the file in progress. */
  protected abstract get _bytesOfFile(): number;

  /** @internal Traffic: the time-out begins anew. */
  protected _touch(): void {
    if (!this.destroyed) (this as unknown as SocketInternals)._unrefTimer();
  }

  /** Ends the time-out before anything else: setTimeout() does nothing for a destroyed socket, whose timer would keep it. */
  override destroy(error?: Error): this {
    this.setTimeout(0);
    return super.destroy(error);
  }

  /** @internal A large write in progress is activity, though nobody is called back in the middle of it. */
  _onTimeout(): void {
    const moved = this.#bytesMoved();
    const progressed = (this._isWriting || this._isPumped) && moved !== this.#movedAtTimeout;
    this.#movedAtTimeout = moved;
    if (progressed) this._touch();
    else this.emit('timeout');
  }

  #bytesMoved(): number {
    const sent = this._connection?.bytesSent() ?? 0;
    if (!this._isPumped) return sent;
    const [toDescriptor, fromDescriptor] = this.#pumpedBytes();
    return sent + toDescriptor + fromDescriptor;
  }

  #pumpedBytes(): [toDescriptor: number, fromDescriptor: number] {
    return this.#pumped ?? this._connection?.pumpedBytes() ?? [0, 0];
  }

  /** @internal The counters are asked for in 'close' handlers. */
  protected _rememberPumped(connection: Connection): void {
    if (this._isPumped) this.#pumped = connection.pumpedBytes();
  }

  // --- options of the socket -------------------------------------------------------------------

  /** tcp(7) TCP_NODELAY */
  override setNoDelay(noDelay = true): this {
    if (this._connection === undefined) return super.setNoDelay(noDelay);
    this._connection.setNoDelay(noDelay);
    return this;
  }

  /** @param initialDelay milliseconds until the first probe; 0 leaves the system's */
  override setKeepAlive(enable?: boolean | KeepAliveOptions, initialDelay?: number): this {
    const options = typeof enable === 'object' ? enable : { enable, initialDelay };
    if (this._connection === undefined) {
      return super.setKeepAlive(options.enable ?? false, options.initialDelay ?? 0);
    }
    const seconds = Math.floor((options.initialDelay ?? 0) / 1000);
    this._connection.setKeepAlive(options.enable ?? false, seconds);
    return this;
  }

  /** Lets this connection keep the process alive (the default). */
  override ref(): this {
    return this.#setReferenced('ref');
  }

  /** Does not let this connection alone keep the process alive. */
  override unref(): this {
    return this.#setReferenced('unref');
  }

  #setReferenced(method: 'ref' | 'unref'): this {
    // A handle of its own is one that is still connecting.
    if (this._connection === undefined && this.connecting) super[method]();
    this._connection?.setReferenced(method === 'ref');
    if (!this._overDescriptor) (this._transport as Partial<net.Socket> | undefined)?.[method]?.();
    return this;
  }

  // --- addresses -------------------------------------------------------------------------------

  /** @internal Lets go of the connection, which is closed. Addresses are asked for in 'close' handlers, too. */
  protected _release(connection: Connection): void {
    this._connection = undefined;
    this.#closed = connection;
  }

  get #addressed(): Connection | undefined {
    return this._connection ?? this.#closed;
  }

  /** @internal What net.Socket's address properties ask. */
  _getpeername(): object {
    if (this._overDescriptor) {
      return (this.#peerName ??= this.#addressed?.peerName() ?? {});
    }
    return this._transport === undefined
      ? inherited._getpeername.call(this)
      : addressOf(this._transport, 'remote');
  }

  /** @internal */
  _getsockname(): object {
    if (this._overDescriptor) {
      return (this.#socketName ??= this.#addressed?.socketName() ?? {});
    }
    return this._transport === undefined
      ? inherited._getsockname.call(this)
      : addressOf(this._transport, 'local');
  }

  override address(): net.AddressInfo | object {
    return this._getsockname();
  }

  // --- counters and state ----------------------------------------------------------------------

  /** @internal */
  protected _countRead(bytes: number): void {
    this.#bytesRead += bytes;
  }

  /** @internal */
  protected _countWritten(bytes: number): void {
    this.#bytesDispatched += bytes;
  }

  // net.Socket declares these as properties, so that a class that has accessors in their place does not type-check.
  static {
    const accessor = <T>(get: (this: DetachedSocket) => T): PropertyDescriptor => ({
      configurable: true,
      get,
    });
    Object.defineProperties(this.prototype, {
      // Bytes of plaintext, those still buffered included where they are written, as node:tls counts.
      bytesRead: accessor(function () {
        return this.#bytesRead + (this._isPumped ? this.#pumpedBytes()[0] : 0);
      }),
      bytesWritten: accessor(function () {
        const pumped = this._isPumped ? this.#pumpedBytes()[1] : 0;
        return this.#bytesDispatched + this._bytesOfFile + pumped + bufferedBytes(this);
      }),
      bufferSize: accessor(function () {
        return this.destroyed ? undefined : this.writableLength;
      }),
      pending: accessor(function () {
        return this.connecting;
      }),
      readyState: accessor(function () {
        if (this.connecting) return 'opening';
        if (this.readable && this.writable) return 'open';
        if (this.readable) return 'readOnly';
        return this.writable ? 'writeOnly' : 'closed';
      }),
    });
  }

  /** Sends what is buffered and close_notify, closes, and waits until that has happened. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      this.once('close', () => resolve());
      this.destroySoon();
    });
  }
}

function addressOf(transport: Duplex, end: 'local' | 'remote'): object {
  const socket = transport as unknown as Record<string, unknown>;
  const address = socket[`${end}Address`];
  if (address === undefined) return {};
  return { address, family: socket[`${end}Family`], port: socket[`${end}Port`] };
}

function bufferedBytes(stream: Duplex): number {
  const { writableBuffer } = stream as unknown as {
    writableBuffer?: { chunk: string | Uint8Array; encoding: BufferEncoding }[];
  };
  let bytes = 0;
  for (const { chunk, encoding } of writableBuffer ?? []) {
    bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
  }
  return bytes;
}
