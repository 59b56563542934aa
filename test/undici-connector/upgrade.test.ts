/** Connections that undici gives away: WebSocket, CONNECT, upgrade. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import type { Dispatcher } from 'undici';
import { root } from '../helpers/pki.js';
import { startOrigin } from './origin.js';
import { undicis } from './undicis.js';

for (const { name, undici, skip } of undicis) {
  t.test(name, { skip }, async (t) => {
    const { Agent, WebSocket, upgrade } = undici!;
    const { cert: ca } = await root();
    const origin = await startOrigin();
    const server = origin.server as Server;
    t.teardown(() => origin.close());
    const dispatcher = new Agent({ connect: createConnector({ ca }) });
    t.teardown(() => dispatcher.destroy());

    const firstMessage = async (url: string, dispatcher: Dispatcher): Promise<unknown> => {
      const webSocket = new WebSocket(url.replace('https:', 'wss:'), { dispatcher });
      const closed = new Promise((resolve) => webSocket.addEventListener('close', resolve));
      const message = await new Promise((resolve, reject) => {
        webSocket.addEventListener('message', ({ data }) => resolve(data));
        webSocket.addEventListener('error', ({ error }) => reject(error));
      });
      await closed;
      return message;
    };

    t.test('upgrade', async (t) => {
      server.once('upgrade', (_request: IncomingMessage, socket: Duplex) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n',
        );
        socket.pipe(socket);
      });
      const { socket } = await upgrade(origin.url, { dispatcher, protocol: 'echo' });
      socket.write('to and fro');
      const [echo] = (await once(socket, 'data')) as [Buffer];
      t.equal(echo.toString(), 'to and fro');
      socket.end();
      await once(socket, 'close');
    });

    t.test(
      'an error on an upgraded connection that nobody listens to ends no process',
      async () => {
        server.once('upgrade', (_request: IncomingMessage, socket: Duplex) => {
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n',
          );
        });
        const { socket } = await upgrade(origin.url, { dispatcher, protocol: 'echo' });
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.destroy(new Error('nobody listens'));
        await closed;
      },
    );

    t.test('a WebSocket', async (t) => {
      server.once('upgrade', sayHi);
      t.equal(await firstMessage(origin.url, dispatcher), 'hi');
    });

    // undici 7 does not ask again over HTTP/1.1.
    if (name === 'undici 7') return;
    t.test('a WebSocket to a server whose HTTP/2 has none', async (t) => {
      const both = await startOrigin({ protocol: 'h2' });
      t.teardown(() => both.close());
      const connect = createConnector({ ca, allowH2: true });
      const dispatcher = new Agent({ connect, allowH2: true });
      t.teardown(() => dispatcher.destroy());
      both.server.once('upgrade', sayHi);
      t.equal(await firstMessage(both.url, dispatcher), 'hi');
      const offers = both.connections.map(({ alpn }) => alpn);
      t.strictSame(offers, ['h2', 'http/1.1']);
    });
  });
}

/** A server's side of a WebSocket: two letters and the end. */
function sayHi(request: IncomingMessage, socket: Duplex): void {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      `sec-websocket-accept: ${accept}\r\n\r\n`,
  );
  // A text frame of two letters, then a close frame (RFC 6455, section 5.2).
  socket.write(Buffer.from([0x81, 2, 0x68, 0x69, 0x88, 2, 0x03, 0xe8]));
  socket.once('data', () => socket.end());
}
