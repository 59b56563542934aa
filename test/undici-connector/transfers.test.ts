/**
 * Long transfers, every byte of them checked. By hand at full size:
 *
 *     TRANSFER=1073741824 node test/dist/undici-connector/transfers.test.js
 */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { root } from '../helpers/pki.js';
import { type Protocol, startOrigin } from './origin.js';
import { pattern, patternDigest } from './pattern.js';
import { type UndiciVersion, undicis } from './undicis.js';

const TRANSFER = Number(process.env['TRANSFER'] ?? 20_000_000);

t.setTimeout(120_000 + TRANSFER / 500);

for (const version of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    const { name, skip } = version;
    const timeout = 60_000 + TRANSFER / 1000;
    t.test(`${name} over ${protocol}`, { skip, timeout }, (t) => transfers(t, version, protocol));
  }
}

async function transfers(t: Test, version: UndiciVersion, protocol: Protocol): Promise<void> {
  const { Agent, request } = version.undici!;
  const origin = await startOrigin({ protocol });
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  const allowH2 = protocol === 'h2';
  const connect = version.connector!.createConnector({ ca, allowH2 });
  const dispatcher = new Agent({ connect, allowH2, bodyTimeout: 0, headersTimeout: 0 });
  t.teardown(() => dispatcher.destroy());
  const expected = { length: TRANSFER, sha256: patternDigest(TRANSFER) };

  const down = await request(`${origin.url}/pattern?length=${TRANSFER}`, { dispatcher });
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of down.body) {
    hash.update(chunk as Buffer);
    length += (chunk as Buffer).length;
  }
  t.strictSame({ length, sha256: hash.digest('hex') }, expected, 'down');

  const up = await request(`${origin.url}/digest`, {
    dispatcher,
    method: 'POST',
    body: pattern(TRANSFER),
  });
  t.strictSame(await up.body.json(), expected, 'up');
}
