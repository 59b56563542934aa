/** Clients that say GOAWAY (RFC 9113, section 6.8). */
import t from 'tap';
import { createSecureServer, type SecureServerOptions } from '@node-aws-lc/core';
import type { AddressInfo } from 'node:net';
import { rawTls } from '../fastify-plugin/clients.js';
import { serverOptions } from '../helpers/handshake.js';
import { eventually, nextEvent } from '../helpers/wait.js';

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const GOAWAY = 7;
const END_STREAM_AND_HEADERS = 5;
/** `:method: GET`, `:scheme: https`, `:path: /`, `:authority: a`, as HPACK has them (RFC 7541). */
const REQUEST = Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 0x61]);

function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** The type and the stream of each whole frame. */
function framesOf(bytes: Buffer): { type: number; stream: number }[] {
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    frames.push({ type: bytes[at + 3]!, stream: bytes.readUInt32BE(at + 5) });
  }
  return frames;
}

// node:http2 by itself refuses the stream, and goes on to use its memory, which it has freed.
t.test("a request in one segment with the client's GOAWAY is answered", async (t) => {
  const server = createSecureServer(
    (await serverOptions()) as SecureServerOptions,
    (_request, response) => {
      response.end('ok');
    },
  );
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');

  const { port } = server.address() as AddressInfo;
  const socket = await rawTls(t, port, { ALPNProtocols: ['h2'] });
  let seen = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));
  const ended = nextEvent(socket, 'close');
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(SETTINGS, 0, 0),
      frame(HEADERS, END_STREAM_AND_HEADERS, 1, REQUEST),
      frame(GOAWAY, 0, 0, Buffer.alloc(8)),
      frame(HEADERS, END_STREAM_AND_HEADERS, 3, REQUEST),
    ]),
  );
  for (const stream of [1, 3]) {
    await eventually(`an answer on stream ${stream}`, () =>
      framesOf(seen).some((frame) => frame.type === DATA && frame.stream === stream),
    );
  }
  await ended;
  t.ok(
    framesOf(seen).some(({ type }) => type === GOAWAY),
    'and then the session ends',
  );
});
