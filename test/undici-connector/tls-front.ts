/** An h2 server whose bytes a test cuts into TLS records as it likes. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import * as tls from 'node:tls';
import type { Test } from 'tap';
import { server as serverIdentity } from '../helpers/pki.js';

/**
 * An h2 server, and TLS in front of it that hands its bytes to `send` to pass them on.
 *
 * @returns the port
 */
export async function startTlsFront(
  t: Test,
  send: (chunk: Buffer, socket: tls.TLSSocket) => void,
): Promise<number> {
  const server = http2.createServer((request, response) => {
    if (request.url === '/answer') {
      response.end('an answer');
    } else {
      request.pipe(response);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { key, chain: cert } = await serverIdentity();
  const front = tls.createServer({ key, cert, ALPNProtocols: ['h2'] }, (socket) => {
    const back = connectPlain((server.address() as AddressInfo).port, '127.0.0.1');
    socket.pipe(back);
    back.on('data', (chunk: Buffer) => send(chunk, socket));
    socket.on('error', () => back.destroy()).on('close', () => back.destroy());
    back.on('error', () => socket.destroy()).on('close', () => socket.destroySoon());
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.teardown(() => {
    front.close();
    server.close();
  });
  return (front.address() as AddressInfo).port;
}
