/** An undici client under measurement; its server, always Node's own, is a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createConnector } from '@node-aws-lc/undici-connector';
import { Pool } from 'undici';
import { Tally } from '../clients/tally';
import { servePeer, type PeerSetup } from '../runner/peer-process';

let port: number;
let setup: PeerSetup;

function pool(connections: number, streams: number): Pool {
  const { stack, pin } = setup;
  const allowH2 = setup.settings.server === 'http2';
  const options = { connections, pipelining: streams, allowH2 };
  if (stack === 'plain') return new Pool(`http://127.0.0.1:${port}`, options);
  const common = { rejectUnauthorized: false, allowH2, minVersion: pin.protocol };
  const connect =
    stack === 'node'
      ? { ...common, ciphers: pin.suite, ecdhCurve: pin.group }
      : createConnector({ ...common, cipherSuites: [pin.suite], groups: [pin.group], ktls: 'off' });
  return new Pool(`https://127.0.0.1:${port}`, { ...options, connect });
}

async function request(client: Pool): Promise<void> {
  const { statusCode, body } = await client.request({ path: '/', method: 'GET' });
  let length = 0;
  for await (const piece of body) length += (piece as Buffer).length;
  const expected = Number(setup.settings.bytes);
  if (statusCode === 200 && length === expected) return;
  throw new Error(`answered ${statusCode} with ${length} bytes of ${expected}`);
}

servePeer(
  async (given) => {
    setup = given;
    const orders = { ...given, stack: given.stack === 'plain' ? 'plain' : 'node' };
    const file = join(__dirname, `${given.settings.server}.js`);
    const server = fork(file, [JSON.stringify(orders)]);
    const [message] = (await once(server, 'message')) as [{ port: number }];
    port = message.port;
    return port;
  },
  async ({ connections, streams, warmUp, measure }) => {
    const [many, deep] = [Number(connections), Number(streams)];
    const client = pool(many, deep);
    const phases = { warmUp: Number(warmUp), measure: Number(measure) };
    const tally = new Tally(phases, (border) => process.send?.(border));
    const workers = Array.from({ length: many * deep }, async () => {
      while (!tally.over) {
        const begin = performance.now();
        await request(client);
        tally.add(1, performance.now() - begin);
      }
    });
    await Promise.all(workers);
    await client.close();
    return tally.report();
  },
);
