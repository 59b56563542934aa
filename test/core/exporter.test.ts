/** Keying material (RFC 5705, RFC 8446 §7.5): both ends must derive the same, whoever they are. */
import t from 'tap';
import tls from 'node:tls';
import { connected } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { nextEvent, thrown } from '../helpers/wait.js';

const label = 'EXPERIMENTAL-test';
const context = Buffer.from('some context');

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`both ends derive the same, ${version}`, async (t) => {
    const { client, server } = await connected(t, { server: { maxVersion: version } });
    for (const seed of [undefined, context, Buffer.alloc(0)]) {
      const ours = client.exportKeyingMaterial(48, label, seed);
      t.equal(ours.length, 48);
      t.same(ours, server.exportKeyingMaterial(48, label, seed));
    }
    t.notSame(
      client.exportKeyingMaterial(32, label),
      client.exportKeyingMaterial(32, `${label}-other`),
    );
    t.notSame(
      client.exportKeyingMaterial(32, label),
      client.exportKeyingMaterial(32, label, context),
    );
  });

  t.test(`node:tls at the other end derives the same, ${version}`, async (t) => {
    const server = await tlsServer(t, { maxVersion: version });
    const ca = (await pki.root()).cert;
    const theirs = tls.connect({ port: server.port, host: 'localhost', ca });
    t.teardown(() => theirs.destroy());
    await nextEvent(theirs, 'secureConnect');
    const ours = await server.accepted();
    for (const seed of [undefined, context]) {
      t.same(
        ours.exportKeyingMaterial(64, label, seed),
        theirs.exportKeyingMaterial(64, label, seed as Buffer),
      );
    }
  });

  t.test(`two connections derive different material, ${version}`, async (t) => {
    const setup = { server: { maxVersion: version } };
    const one = await connected(t, setup);
    const other = await connected(t, setup);
    t.notSame(
      one.client.exportKeyingMaterial(32, label),
      other.client.exportKeyingMaterial(32, label),
    );
  });
}

t.test('lengths that make no sense, and a stream that is closed', async (t) => {
  const { client } = await connected(t);
  for (const length of [0, -1, 1.5, Number.NaN, 'x' as never]) {
    t.match(
      thrown(() => client.exportKeyingMaterial(length, label)),
      { code: /^ERR_/ },
    );
  }
  t.match(
    thrown(() => client.exportKeyingMaterial(32, 42 as never)),
    { code: /^ERR_/ },
  );
  await nextEvent(client.destroy(), 'close');
  t.match(
    thrown(() => client.exportKeyingMaterial(32, label)),
    { code: 'ERR_TLS_INVALID_STATE' },
  );
});
