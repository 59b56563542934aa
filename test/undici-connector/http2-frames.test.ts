/** HTTP/2 frames and the TLS records that carry them need not agree on where things end. */
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { root } from '../helpers/pki.js';
import { pattern } from './pattern.js';
import { startTlsFront } from './tls-front.js';
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
