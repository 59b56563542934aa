import net from 'node:net';
import type { Duplex } from 'node:stream';
import { TlsError, type TlsSide } from '../errors';

/** The parts of a libuv handle that are looked at. */
interface Handle {
  fd?: number;
  hasRef(): boolean;
  readStop(): void;
  close(): void;
}

interface SocketInternals {
  _handle: Handle | null;
}

/** What a transport turned out to be. */
export interface TakenTransport {
  /** Descriptor to drive TLS on, or -1: the Duplex carries the ciphertext. */
  fd: number;
  /** Bytes that the transport had read already. */
  early: Buffer | undefined;
  /** Whether the transport kept the process alive: whoever called `unref()` while it connected means the connection. */
  referenced: boolean;
  /** Lets go of the transport's own descriptor; call after the native connection has duplicated it. */
  release(): void;
}

// A net.Socket over anything else (TLS, a pipe made of JavaScript) has bytes of its own between it and the descriptor.
const DRIVABLE_HANDLES = ['TCP', 'Pipe'];

function findDescriptor(transport: Duplex): { handle: Handle; fd: number } | undefined {
  if (!(transport instanceof net.Socket) || process.platform === 'win32') return undefined;
  const handle = (transport as unknown as SocketInternals)._handle;
  if (!handle || !DRIVABLE_HANDLES.includes(handle.constructor.name)) return undefined;
  const { fd } = handle;
  return typeof fd === 'number' && fd >= 0 ? { handle, fd } : undefined;
}

function drainBuffered(transport: Duplex): Buffer | undefined {
  const parts: Buffer[] = [];
  while (transport.readableLength > 0) {
    const chunk: unknown = transport.read();
    if (chunk === null) break;
    parts.push(
      typeof chunk === 'string'
        ? Buffer.from(chunk, transport.readableEncoding ?? 'utf8')
        : Buffer.from(chunk as Uint8Array),
    );
  }
  return parts.length > 0 ? Buffer.concat(parts) : undefined;
}

function closedTransport(side: TlsSide): TlsError {
  return new TlsError('ERR_AWS_LC_TRANSPORT_CLOSED', 'the transport is closed already', { side });
}

/** Whether the transport can be taken over at once. */
export function isReady(transport: Duplex): boolean {
  return !isConnecting(transport) && transport.writableLength === 0;
}

/** Whether the transport is yet to be connected. */
export function isConnecting(transport: Duplex): boolean {
  if (!(transport instanceof net.Socket)) return (transport as net.Socket).connecting;
  return transport.pending && !transport.destroyed;
}

/** Waits until the transport is connected and what was written to it is on its way. */
export function untilReady(transport: Duplex, signal: AbortSignal, side: TlsSide): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      transport.off('error', settle);
      transport.off('close', onClose);
      transport.off('connect', flush);
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onClose = (): void => settle(closedTransport(side));
    const onAbort = (): void => settle(signal.reason as Error);
    const flush = (): void => {
      // Called back when everything before it has left.
      if (transport.writableLength === 0) settle();
      else transport.write('', (error) => settle(error ?? undefined));
    };
    transport.on('error', settle);
    transport.on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (isConnecting(transport)) transport.on('connect', flush);
    else flush();
  });
}

/**
 * Takes a ready transport over. A TCP or Unix socket gives up its descriptor and remains as an empty shell, which its
 * server goes on counting until the TLS stream destroys it; anything else stays in use as a Duplex.
 */
export function takeOver(
  transport: Duplex,
  side: TlsSide,
  { keepsTimeout = false } = {},
): TakenTransport {
  if (transport.destroyed || !transport.writable) throw closedTransport(side);
  if (transport instanceof net.Socket && !keepsTimeout) transport.setTimeout(0);
  const found = findDescriptor(transport);
  if (found === undefined) {
    return { fd: -1, early: undefined, referenced: true, release: () => undefined };
  }
  const { handle, fd } = found;
  transport.pause();
  handle.readStop();
  return {
    fd,
    early: drainBuffered(transport),
    referenced: handle.hasRef(),
    release: () => {
      handle.readStop();
      (transport as unknown as SocketInternals)._handle = null;
      handle.close();
    },
  };
}

/** Takes the descriptor of a socket that has connected itself, on which nobody has read yet. */
export function takeOwnHandle(socket: net.Socket, side: TlsSide): TakenTransport {
  const found = findDescriptor(socket);
  if (found === undefined) throw closedTransport(side);
  const { handle, fd } = found;
  return {
    fd,
    early: undefined,
    referenced: handle.hasRef(),
    release: () => {
      (socket as unknown as SocketInternals)._handle = null;
      handle.close();
    },
  };
}
