import { performance } from 'node:perf_hooks';
import { disconnectedInHandshake, type TlsSide } from '../errors';
import type { KtlsStatus } from '../ktls/status';
import type { Negotiated } from '../stream/negotiated';
import {
  connections,
  debug,
  handshakes,
  isObserved,
  type ConnectionTrace,
  type HandshakeTrace,
} from './channels';

/** What is told of a stream. */
export interface Observed {
  readonly negotiated: Negotiated;
  readonly authorized: boolean;
  readonly ktls: KtlsStatus;
  readonly closeNotifyReceived: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** What is known of a connection before its handshake. */
export interface Beginning {
  readonly serverName?: string | undefined;
  /** What carries the ciphertext, which may know its peer. */
  readonly transport?: object | undefined;
}

/** The observation of a connection that begins its handshake, if anybody looks. */
export function observe(
  stream: Observed,
  side: TlsSide,
  beginning: Beginning,
): Observation | undefined {
  return isObserved() ? new Observation(stream, side, beginning) : undefined;
}

/** Tells the channels and the log of one connection. */
export class Observation {
  readonly #stream: Observed;
  readonly #handshake: HandshakeTrace;
  #connection: ConnectionTrace | undefined;
  #since = performance.now();

  constructor(stream: Observed, side: TlsSide, { serverName, transport = {} }: Beginning) {
    this.#stream = stream;
    const { remoteAddress, remotePort } = transport as Partial<Observed>;
    this.#handshake = { side, remoteAddress, remotePort, serverName: serverName ?? null };
    handshakes.start.publish(this.#handshake);
    handshakes.end.publish(this.#handshake);
  }

  /** The handshake is complete. */
  secured(): void {
    const { authorized, ktls, negotiated, remoteAddress, remotePort } = this.#stream;
    const { protocol, cipher, group, alpn, serverName, resumed } = negotiated;
    const agreed = {
      ...{ remoteAddress, remotePort, serverName },
      ...{ protocol, cipher, group, alpn, resumed, authorized, ktls },
    };
    const handshake = Object.assign(this.#handshake, agreed, { duration: this.#elapsed() });
    debug(() => `${describe(handshake)}: secured in ${inMs(handshake)}, ${agreement(handshake)}`);
    handshakes.asyncStart.publish(handshake);
    handshakes.asyncEnd.publish(handshake);

    this.#since = performance.now();
    this.#connection = { side: handshake.side, ...agreed, handshake };
    connections.start.publish(this.#connection);
    connections.end.publish(this.#connection);
  }

  /**
   * The handshake has failed.
   *
   * @param serverName as far as the client has said it
   */
  failed(error: Error, serverName: string | null | undefined): void {
    const handshake = this.#handshake;
    if (handshake.duration !== undefined) return;
    handshake.serverName ??= serverName ?? null;
    // A stream that has connected itself had no transport to ask.
    handshake.remoteAddress ??= this.#stream.remoteAddress;
    handshake.remotePort ??= this.#stream.remotePort;
    Object.assign(handshake, { error, duration: this.#elapsed() });
    debug(() => `${describe(handshake)}: failed after ${inMs(handshake)}: ${inWords(error)}`);
    handshakes.error.publish(handshake);
    handshakes.asyncStart.publish(handshake);
    handshakes.asyncEnd.publish(handshake);
  }

  /** The stream is destroyed, in whatever state it was; `serverName` as of {@link failed}. */
  closed(error: Error | null, serverName: string | null | undefined): void {
    const connection = this.#connection;
    if (connection === undefined) {
      this.failed(error ?? disconnectedInHandshake(this.#handshake.side), serverName);
      return;
    }
    const { ktls, bytesRead, bytesWritten, closeNotifyReceived } = this.#stream;
    const duration = this.#elapsed();
    Object.assign(connection, { ktls, bytesRead, bytesWritten, closeNotifyReceived, duration });
    if (error !== null) {
      connection.error = error;
      connections.error.publish(connection);
    }
    debug(() => {
      const end = error === null ? '' : `: ${inWords(error)}`;
      return `${describe(connection)}: closed after ${inMs(connection)}, ${bytesRead} bytes in, ${bytesWritten} out${end}`;
    });
    connections.asyncStart.publish(connection);
    connections.asyncEnd.publish(connection);
  }

  #elapsed(): number {
    return performance.now() - this.#since;
  }
}

function describe({ side, remoteAddress, remotePort, serverName }: HandshakeTrace): string {
  const peer = remoteAddress === undefined ? '' : ` ${remoteAddress}:${remotePort}`;
  return `${side}${peer}${serverName === null ? '' : ` (${serverName})`}`;
}

function agreement({ protocol, cipher, group, alpn, resumed, ktls }: HandshakeTrace): string {
  const kernel = `kTLS tx ${ktls?.tx ? 'on' : 'off'} rx ${ktls?.rx ? 'on' : 'off'}`;
  const how = resumed ? 'resumed' : 'full';
  return [protocol, cipher, group, `ALPN ${alpn ?? 'none'}`, how, kernel]
    .filter(Boolean)
    .join(', ');
}

function inMs({ duration = 0 }: HandshakeTrace): string {
  return `${duration.toFixed(1)} ms`;
}

function inWords(error: NodeJS.ErrnoException): string {
  return error.code === undefined ? error.message : `${error.code}: ${error.message}`;
}
