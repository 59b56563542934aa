/** Every suite and version that the kernel knows, over both address families, both ways. */
import t from 'tap';
import { connected } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tcpPair } from '../helpers/transports.js';
import { nextEvent } from '../helpers/wait.js';
import { transferred } from './bulk.js';
import { expectInstalls } from './statistics.js';

const suites = {
  'TLSv1.3': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  'TLSv1.2': ['ECDSA', 'RSA'].flatMap((key) => [
    `TLS_ECDHE_${key}_WITH_AES_128_GCM_SHA256`,
    `TLS_ECDHE_${key}_WITH_AES_256_GCM_SHA384`,
    `TLS_ECDHE_${key}_WITH_CHACHA20_POLY1305_SHA256`,
  ]),
};

for (const [protocol, names] of Object.entries(suites)) {
  for (const cipher of names) {
    for (const host of ['127.0.0.1', '::1']) {
      t.test(`3 MiB each way, ${protocol}, ${cipher}, ${host}`, async (t) => {
        const { key, chain: cert } = await (cipher.includes('_RSA_')
          ? pki.serverRsa()
          : pki.server());
        await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
          const { client, server } = await connected(t, {
            server: { key, cert, ktls: 'require' },
            client: { cipherSuites: [cipher], ktls: 'require' },
            transport: await tcpPair(t, host),
          });
          for (const end of [client, server]) {
            t.match(end.negotiated, { protocol, cipher });
            t.same(end.ktls, { tx: true, rx: true });
            t.equal(end.ktlsActive, true);
            t.match(end.ktlsEligibility, { protocol, cipher, eligible: true });
          }
          const [up, down] = await Promise.all([
            transferred(client, server),
            transferred(server, client),
          ]);
          t.ok(up, 'up');
          t.ok(down, 'down');
          const closed = Promise.all([nextEvent(client, 'close'), nextEvent(server, 'close')]);
          client.resume().end();
          server.resume();
          await closed;
          t.ok(client.closeNotifyReceived && server.closeNotifyReceived, 'announced both ways');
        });
      });
    }
  }
}
