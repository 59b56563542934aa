import { tracingChannel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { TlsSide } from '../errors';
import type { KtlsStatus } from '../ktls/status';

/**
 * What the channels `tracing:aws-lc:handshake:*` carry: one object from `start` to `asyncEnd`, which fills up on the
 * way. Subscribers may keep things of their own in it, under symbols.
 */
export interface HandshakeTrace {
  readonly side: TlsSide;
  /** Who is at the other end, where that is a network address and as soon as it is known. */
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
  /** The name that the client asks for (SNI; RFC 6066), or null. A server knows it from the ClientHello on. */
  serverName: string | null;
  /** The protocol version, e.g. `'TLSv1.3'`. This and what follows until `ktls` is set if the handshake succeeds. */
  protocol?: string;
  /** The cipher suite's IANA name. */
  cipher?: string;
  /** The key-exchange group, e.g. `'X25519MLKEM768'`; empty where RSA did the key exchange. */
  group?: string;
  /** The ALPN protocol, or null. */
  alpn?: string | null;
  /** Whether an earlier session was resumed. */
  resumed?: boolean;
  /** Whether the peer presented a certificate that was verified. */
  authorized?: boolean;
  /** Whether the kernel does the record layer, and why not. */
  ktls?: KtlsStatus;
  /** Milliseconds from the first message, or the wait for it, to the end. */
  duration?: number;
  /** What the handshake failed with. */
  error?: Error;
}

/** What the channels `tracing:aws-lc:connection:*` carry: from the end of the handshake to 'close'. */
export interface ConnectionTrace extends HandshakeTrace {
  /** The handshake of this connection. */
  readonly handshake: HandshakeTrace;
  /** Bytes of plaintext. */
  bytesRead?: number;
  bytesWritten?: number;
  /** Whether the peer ended its half with close_notify, so that nothing was cut off. */
  closeNotifyReceived?: boolean;
}

const log = debuglog('aws-lc');

/** Published to as `TracingChannel.tracePromise` does: start, end, error if one, asyncStart, asyncEnd. */
export const handshakes = tracingChannel<unknown, HandshakeTrace>('aws-lc:handshake');
/** Likewise. */
export const connections = tracingChannel<unknown, ConnectionTrace>('aws-lc:connection');

type Channels = typeof handshakes | typeof connections;

function hasSubscribers({ start, end, asyncStart, asyncEnd, error }: Channels): boolean {
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers ||
    asyncStart.hasSubscribers ||
    end.hasSubscribers
  );
}

/** Whether anybody looks: asked once a connection, and if not, nothing else is done. */
export function isObserved(): boolean {
  return hasSubscribers(handshakes) || hasSubscribers(connections) || log.enabled;
}

/** A line on standard error for whoever has asked for a connection's messages (`enableTrace`). */
export function trace(line: string): void {
  process.stderr.write(`AWS-LC ${process.pid}: ${line}\n`);
}

/** A line on standard error under `NODE_DEBUG=aws-lc`. */
export function debug(line: () => string): void {
  if (log.enabled) log('%s', line().replace(CONTROL_CHARACTERS, escape));
}

/** A client's SNI and ALPN go into the line, and may hold anything: line feeds and a terminal's control sequences. */
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g;

function escape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
