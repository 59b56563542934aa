import fs from 'node:fs';
import * as http from 'node:http';
import type net from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { TlsError, TlsStream } from '@node-aws-lc/core';
import { sendBody } from './file-body';

const fstat = promisify(fs.fstat);

/** The parts of fs.ReadStream that its types leave out. */
interface FileStream extends fs.ReadStream {
  fd: number | null;
  start?: number;
  end: number;
  readonly _readableState: { pipes: unknown[] };
  _read(size: number): void;
}

/** The parts of http.ServerResponse that its types leave out. */
interface Response extends http.ServerResponse {
  readonly _hasBody: boolean;
  readonly outputSize: number;
}

/** What node:http hangs on a connection: the response that is being sent. */
interface Busy extends net.Socket {
  readonly _httpMessage?: http.ServerResponse | null;
}

const closing = new WeakMap<http.ServerResponse, Promise<unknown>>();

// Whoever replaces it wants to see the body go by: Express-style compression, for instance.
// eslint-disable-next-line @typescript-eslint/unbound-method
const { write } = http.OutgoingMessage.prototype;

/**
 * Lets the kernel send the files of `server`'s HTTP/1.1 responses: a file stream that is piped into a response over a
 * connection on which the kernel seals (`ktls.tx`) is not read, what it would have read goes out by `sendFile()`.
 *
 * The pipe itself stays. All that is replaced is the first `_read()` of the stream, so that 'end', 'close', errors and
 * aborts come about as ever, and that what is decided is decided when everybody has had a chance to touch the stream.
 * A response or a stream that is not quite plain is served as if this were not here.
 */
export function sendFilesOf(server: http.Server): void {
  server.prependListener('request', (request: http.IncomingMessage, response: unknown) => {
    const { socket } = request;
    // Of h2 there is nothing to see here: its frames are made in userspace.
    if (!(socket instanceof TlsStream) || !(response instanceof http.ServerResponse)) return;
    if (socket.ktls.tx) response.on('pipe', onPipe);
  });
}

function onPipe(this: http.ServerResponse, source: Readable): void {
  if (!isOfNode(source)) return;
  const response = this as Response;
  // Without `start` a stream reads where the file is; only if it opens the file itself that is known.
  const start = source.start ?? (source.fd === null ? 0 : undefined);
  if (start === undefined) return;
  source._read = (size) => {
    delete (source as Partial<FileStream>)._read;
    void serve(source, response, start, size);
  };
}

/** Whether it is Node's own stream over a file of Node's own: elsewhere a descriptor is just a number. */
function isOfNode(source: Readable): source is FileStream {
  if (Object.getPrototypeOf(source) !== fs.ReadStream.prototype) return false;
  if ((source as FileStream)._read !== fs.ReadStream.prototype._read) return false;
  // Beside a FileHandle no other file system is taken.
  return hidden(source, 'kFs') === fs || hidden(source, 'kHandle') !== undefined;
}

/** What node:fs keeps in a stream under a symbol of its own. */
function hidden(source: object, name: string): unknown {
  const symbol = Object.getOwnPropertySymbols(source).find(
    ({ description }) => description === name,
  );
  return symbol && (source as Record<symbol, unknown>)[symbol];
}

async function serve(
  source: FileStream,
  response: Response,
  start: number,
  size: number,
): Promise<void> {
  await turnOf(response);
  const length = isPlain(source, response) ? await lengthOf(source) : 0;
  if (source.destroyed) return;
  const { socket } = response;
  // A response with an empty body has another head, which ending it makes.
  if (length <= start || !isPlain(source, response) || !(socket instanceof TlsStream)) {
    source._read(size);
    return;
  }
  const onEarlyClose = (): void => void response.destroy();
  source.once('close', onEarlyClose);
  try {
    const body = { file: source, size: length, start, end: source.end };
    source.bytesRead += await sendBody(socket, response, body);
    source.off('close', onEarlyClose);
    source.push(null);
  } catch (error) {
    source.off('close', onEarlyClose);
    // What befell the connection everybody hears of from the response.
    if (!isOfConnection(error)) source.destroy(error as Error);
  }
}

/**
 * Waits until the responses that the connection has to send before this one are gone. That is not only for pipelining: a
 * client may have all of a file, and ask for the next, before its response has come to an end here.
 */
async function turnOf(response: Response): Promise<void> {
  const connection = response.req.socket as Busy;
  // A connection that is gone keeps the response that it was at, and its turn comes to no other.
  while (response.socket === null && connection._httpMessage && !connection.destroyed) {
    await closed(connection._httpMessage);
  }
}

/** One listener, however many wait. */
function closed(response: http.ServerResponse): Promise<unknown> {
  let promise = closing.get(response);
  if (promise === undefined) {
    promise = new Promise((resolve) => response.once('close', resolve));
    closing.set(response, promise);
  }
  return promise;
}

/** Of a regular file; 0 for anything else, and if it cannot be told. */
async function lengthOf({ fd }: FileStream): Promise<number> {
  if (fd === null) return 0;
  const stats = await fstat(fd).catch(() => undefined);
  return stats?.isFile() ? stats.size : 0;
}

/** Whether nobody would notice if the bytes of the file did not come by. */
function isPlain(source: FileStream, response: Response): boolean {
  const { pipes } = source._readableState;
  return (
    pipes.length === 1 &&
    pipes[0] === response &&
    source.listenerCount('data') === 1 &&
    source.listenerCount('readable') === 0 &&
    source.readableFlowing === true &&
    source.readableEncoding === null &&
    source.bytesRead === 0 &&
    source.readableLength === 0 &&
    isNext(response)
  );
}

/** Whether what is written to the socket now is the next part of the response's body. */
function isNext(response: Response): boolean {
  const socket = response.socket as (TlsStream & Busy) | null;
  return (
    socket?._httpMessage === response &&
    socket.ktls.tx &&
    socket.writable &&
    response.write === write &&
    response._hasBody &&
    response.statusCode !== 204 &&
    response.statusCode !== 304 &&
    response.outputSize === 0 &&
    response.writableCorked === 0 &&
    !response.strictContentLength &&
    !response.writableEnded &&
    !response.destroyed
  );
}

function isOfConnection(error: unknown): boolean {
  return error instanceof TlsError || (error as { code?: unknown }).code === 'ERR_STREAM_DESTROYED';
}
