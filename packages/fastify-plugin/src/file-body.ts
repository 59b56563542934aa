import fs from 'node:fs';
import type * as http from 'node:http';
import { promisify } from 'node:util';
import type { TlsStream } from '@node-aws-lc/core';
import { AwsLcFastifyError } from './errors';

const fstat = promisify(fs.fstat);

/** A part of a file that is to be the body of a response. */
export interface FileBody {
  /** Who has the file open; its descriptor is null from the moment on that it is being closed. */
  file: { readonly fd: number | null };
  /** Bytes in the file, when it was looked at last. */
  size: number;
  /** Offset of the first byte. */
  start: number;
  /** Offset of the last byte, or Infinity. */
  end: number;
}

/** Of a body whose length is not announced: each chunk says how long it will be before it is sent. */
const CHUNK = 1024 * 1024;

/**
 * Sends the head of a response, if it has not been sent, and a file as its body. Ending the response is up to the caller.
 * Resolves with the bytes of the file that were sent.
 */
export async function sendBody(
  socket: TlsStream,
  response: http.ServerResponse,
  body: FileBody,
): Promise<number> {
  // The head goes into one record with what follows.
  socket.cork();
  try {
    response.flushHeaders();
    return response.chunkedEncoding ? sendChunked(socket, body) : sendPart(socket, body, body);
  } finally {
    socket.uncork();
  }
}

/** Resolves with undefined where the file has been closed meanwhile. */
async function sendPart(
  socket: TlsStream,
  { file }: FileBody,
  { start, end }: { start: number; end: number },
): Promise<number> {
  return file.fd === null ? 0 : socket.sendFile(file.fd, { start, end });
}

/** RFC 9112, section 7.1; the last chunk is left to the response. */
async function sendChunked(socket: TlsStream, body: FileBody): Promise<number> {
  let { size, start } = body;
  for (let separator = ''; start <= body.end; separator = '\r\n') {
    // It may have grown.
    if (start >= size) size = await sizeOf(body);
    const length = Math.min(CHUNK, size - start, body.end - start + 1);
    if (length <= 0) break;
    socket.write(`${separator}${length.toString(16)}\r\n`, 'latin1');
    const sent = await sendPart(socket, body, { start, end: start + length - 1 });
    if (sent < length) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_FILE_SHRANK');
    start += length;
  }
  // Goes out with the last chunk: ending the response uncorks.
  socket.cork();
  socket.write('\r\n', 'latin1');
  setImmediate(() => socket.uncork());
  return start - body.start;
}

async function sizeOf({ file }: FileBody): Promise<number> {
  return file.fd === null ? 0 : (await fstat(file.fd)).size;
}
