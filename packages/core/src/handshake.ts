import './stream/callbacks';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { abortError, handshakeTimeout, TlsError, type TlsSide } from './errors';
import { isReady, takeOver, untilReady } from './stream/take-over';
import { TlsStream, type TlsStreamInit } from './stream/tls-stream';

/** One handshake: everything that accepting and connecting have in common. */
export interface Handshake extends Omit<TlsStreamInit, 'onHandshake'> {
  side: TlsSide;
  transport: Duplex;
  allowHalfOpen: boolean | undefined;
  highWaterMark: number | undefined;
  /** Milliseconds; covers the wait for the transport too. */
  timeout: number;
  signal: AbortSignal | undefined;
}

/** Transports that belong to a stream of ours already. */
const taken = new WeakSet<object>();

/**
 * Runs a handshake on a transport. Whatever makes it fail, the alert is sent if one is due and the transport is
 * destroyed before the promise is rejected.
 */
export function performHandshake(handshake: Handshake): Promise<TlsStream> {
  const { side, transport, connection, signal, timeout } = handshake;
  return new Promise((resolve, reject) => {
    let stream: TlsStream | undefined;
    let settled = false;
    // Made only where there is something to wait for.
    let waiting: AbortController | undefined;

    const settle = (error?: Error): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (error === undefined) {
        resolve(stream as TlsStream);
        return;
      }
      waiting?.abort(error);
      if (stream === undefined) {
        connection.close();
        transport.on('error', ignore);
        transport.destroy();
      } else {
        stream.on('error', ignore);
        stream.destroy(error);
      }
      reject(error);
    };
    const onAbort = (): void => settle(abortError(signal as AbortSignal));
    const timer = setTimeout(() => settle(handshakeTimeout(side, timeout)), timeout);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) {
      onAbort();
      return;
    }

    const start = (): void => {
      try {
        const takenTransport = takeOver(transport, side);
        stream = new TlsStream({
          side,
          allowHalfOpen:
            handshake.allowHalfOpen ?? (transport instanceof net.Socket && transport.allowHalfOpen),
          highWaterMark: handshake.highWaterMark,
        });
        stream.startHandshake({ ...handshake, onHandshake: settle }, takenTransport);
      } catch (error) {
        settle(error as Error);
      }
    };
    markTaken(transport);
    if (isReady(transport)) {
      start();
    } else {
      waiting = new AbortController();
      untilReady(transport, waiting.signal, side).then(start, settle);
    }
  });
}

function ignore(): void {
  // The promise has been rejected with what went wrong first.
}

/**
 * Makes what a handshake needs, of options that may be wrong. The transport is ours from the moment it was handed over:
 * where it comes to nothing, nobody else closes it.
 */
export function prepare<T>(transport: Duplex, options: unknown, make: () => T): T {
  try {
    if (options === null || typeof options !== 'object') {
      throw invalidArgument('options: expected an object');
    }
    const { signal } = options as { signal?: unknown };
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgument('options.signal: expected an AbortSignal');
    }
    return make();
  } catch (error) {
    transport.destroy();
    throw error;
  }
}

function invalidArgument(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** Marks a transport that a stream takes over. */
export function markTaken(transport: Duplex): void {
  taken.add(transport);
}

/** Refuses what is no transport, or no longer one to be had. */
export function requireTransport(transport: unknown, side: TlsSide): asserts transport is Duplex {
  if (typeof transport === 'object' && transport !== null && taken.has(transport)) {
    // Not closed: it belongs to the first who was given it.
    throw new TlsError(
      'ERR_AWS_LC_TRANSPORT_TAKEN',
      'another TLS stream has taken this transport over',
      { side },
    );
  }
  const candidate = transport as Partial<Duplex> | null | undefined;
  if (
    typeof candidate?.write === 'function' &&
    typeof candidate.on === 'function' &&
    'readable' in candidate
  ) {
    return;
  }
  throw invalidArgument('transport: expected a net.Socket or another Duplex');
}
