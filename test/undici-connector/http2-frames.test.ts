/** HTTP/2 frames and the TLS records that carry them need not agree on where things end. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { connect as connectPlain } from 'node:net';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { root, server as serverIdentity } from '../helpers/pki.js';
import { pattern } from './pattern.js';
import { undicis } from './undicis.js';

for (const { name, undici, skip } of undicis) {
  t.test(name, { skip }, async (t) => {
    const { Agent, request } = undici!;
    const { cert: ca } = await root();

    const newAgent = (t: tap.Test) => {
      const connect = createConnector({ ca, allowH2: true });
      const agent = new Agent({ allowH2: true, connections: 1, pipelining: 100, connect });
      t.teardown(() => agent.destroy());
      return agent;
    };

    // 9 is the length of a frame's header.
    for (const size of [1, 8, 9, 10, 4096]) {
      t.test(`what the server sends comes in records of ${size} bytes`, async (t) => {
        const port = await startTlsFront(t, (chunk, socket) => {
          for (let i = 0; i < chunk.length; i += size) {
            socket.write(chunk.subarray(i, i + size));
          }
        });
        const dispatcher = newAgent(t);
        const length = 20_011;
        const { body } = await request(`https://localhost:${port}/`, {
          dispatcher,
          method: 'POST',
          body: pattern(length),
        });
        const sent = Buffer.concat(await pattern(length).toArray());
        t.ok(Buffer.from(await body.arrayBuffer()).equals(sent));
      });
    }

    t.test('the answers to many requests come at once, with the end behind them', async (t) => {
      const COUNT = 30;
      const held: Buffer[] = [];
      let holding = false;
      const port = await startTlsFront(t, (chunk, socket) => {
        if (!holding) {
          socket.write(chunk);
          return;
        }
        held.push(chunk);
        if (held.length === 1) {
          setTimeout(() => socket.end(Buffer.concat(held)), 200);
        }
      });
      const dispatcher = newAgent(t);
      const ask = async () => {
        const { body } = await request(`https://localhost:${port}/answer`, { dispatcher });
        return body.text();
      };
      t.equal(await ask(), 'an answer');
      holding = true;
      const answers = await Promise.all(Array.from({ length: COUNT }, ask));
      t.strictSame(new Set(answers), new Set(['an answer']));
    });
  });
}

/**
 * An h2 server, and TLS in front of it that hands its bytes to `send` to pass them on.
 *
 * @returns the port
 */
async function startTlsFront(
  t: tap.Test,
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
