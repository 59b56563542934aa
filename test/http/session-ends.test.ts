/** Sessions of h2 that come to their end in the middle of what their clients send: by GOAWAY (RFC 9113, section 6.8), and otherwise. */
import t, { type Test } from 'tap';
import {
  createSecureServer,
  type RequestListener,
  type SecureServer,
  type SecureServerOptions,
} from '@node-aws-lc/core';
import type { Http2ServerRequest } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { h1, rawTls } from '../fastify-plugin/clients.js';
import { serverOptions } from '../helpers/handshake.js';
import { frame } from '../helpers/http2-frame.js';
import { eventually, nextEvent } from '../helpers/wait.js';

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const ACK = 1;
const END_HEADERS = 4;
const END_STREAM_AND_HEADERS = 5;
/** `:method: GET`, `:scheme: https`, `:path: /`, `:authority: a`, as HPACK has them (RFC 7541). */
const REQUEST = Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 0x61]);

/** The type and the stream of each whole frame. */
function framesOf(bytes: Buffer): { type: number; stream: number }[] {
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    frames.push({ type: bytes[at + 3]!, stream: bytes.readUInt32BE(at + 5) });
  }
  return frames;
}

async function listening(t: Test, listener: RequestListener): Promise<SecureServer> {
  const server = createSecureServer((await serverOptions()) as SecureServerOptions, listener);
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  return server;
}

function portOf(server: SecureServer): number {
  return (server.address() as AddressInfo).port;
}

async function serve(t: Test, listener: RequestListener): Promise<number> {
  return portOf(await listening(t, listener));
}

t.test("the server emits 'session' and 'sessionError', as one of node:http2 does", async (t) => {
  const server = await listening(t, (_request, response) => response.end('ok'));
  const began = nextEvent(server, 'session');
  const failed = nextEvent(server, 'sessionError');
  const socket = await rawTls(t, portOf(server), { ALPNProtocols: ['h2'] });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(SETTINGS, 0, 0));
  // An answer to a PING that nobody sent.
  socket.write(frame(PING, ACK, 0, Buffer.alloc(8)));
  const [session] = await began;
  t.match(session, { alpnProtocol: 'h2', encrypted: true });
  const [error, of] = await failed;
  t.match(error, { code: 'ERR_HTTP2_ERROR' });
  t.equal(of, session);
});

// node:http2 by itself refuses the stream, and goes on to use its memory, which it has freed.
t.test("a request in one segment with the client's GOAWAY is answered", async (t) => {
  const port = await serve(t, (_request, response) => response.end('ok'));
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

/** A client's last words, which come in one segment, and what is done with its first request. */
const endings: Record<string, { frames: Buffer[]; listener?: RequestListener }> = {
  'a request behind a GOAWAY with an error': {
    frames: [
      frame(GOAWAY, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 2])),
      frame(HEADERS, END_HEADERS, 3, REQUEST),
      frame(DATA, 0, 3, Buffer.alloc(100)),
    ],
  },
  'a request behind the answer to a PING that nobody sent': {
    frames: [
      frame(PING, ACK, 0, Buffer.alloc(8)),
      frame(HEADERS, END_HEADERS, 3, REQUEST),
      frame(DATA, 0, 3, Buffer.alloc(100)),
    ],
  },
  'a malformed frame behind a request whose handler destroys the session': {
    frames: [frame(PING, 0, 0, Buffer.alloc(7))],
    listener: (request, response) => {
      const { stream } = request as unknown as Partial<Http2ServerRequest>;
      if (stream === undefined) response.end('ok');
      else stream.session?.destroy();
    },
  },
};

for (const [what, { frames, listener }] of Object.entries(endings)) {
  // node:http2 by itself ends the process, on one version of Node or another.
  t.test(`${what} ends the session, and no more`, async (t) => {
    const port = await serve(t, listener ?? ((_request, response) => response.end('ok')));
    const socket = await rawTls(t, port, { ALPNProtocols: ['h2'] });
    const ended = nextEvent(socket, 'close');
    socket.resume();
    socket.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(SETTINGS, 0, 0),
        frame(HEADERS, END_STREAM_AND_HEADERS, 1, REQUEST),
        ...frames,
      ]),
    );
    await ended;
    t.equal((await h1(port)).body, 'ok');
  });
}
