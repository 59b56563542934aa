/** Cipher suites of both generations in one list. */
import type { ServerConfigOptions } from '@node-aws-lc/core';
import t from 'tap';
import { connected, failedHandshake, handshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';

const ecdsaSuites = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305': 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
};
const tls13Suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

for (const suite of tls13Suites) {
  t.test(`pinned to ${suite}`, async (t) => {
    const { client, server } = await connected(t, { client: { cipherSuites: [suite] } });
    for (const end of [client, server]) {
      t.match(end.negotiated, { protocol: 'TLSv1.3', cipher: suite });
      t.match(end.getCipher(), { name: suite, standardName: suite });
    }
    t.equal(await sent(client, server, 'there'), 'there');
    const byServer = await connected(t, { server: { cipherSuites: [suite] } });
    t.equal(byServer.client.negotiated.cipher, suite);
  });
}

for (const [openssl, iana] of Object.entries(ecdsaSuites)) {
  t.test(`pinned to ${iana}, under either name`, async (t) => {
    for (const cipherSuites of [[openssl], [iana]]) {
      const { client, server } = await connected(t, { server: { cipherSuites } });
      for (const end of [client, server]) {
        t.match(end.negotiated, { protocol: 'TLSv1.2', cipher: iana });
        t.match(end.getCipher(), { name: openssl, standardName: iana });
      }
      t.equal(await sent(server, client, 'back'), 'back');
    }
  });
}

t.test('an RSA certificate under a TLS 1.2 AEAD suite', async (t) => {
  const { key, chain: cert } = await pki.serverRsa();
  const cipherSuites = ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'];
  const { client } = await connected(t, { server: { key, cert }, client: { cipherSuites } });
  t.match(client.negotiated, { protocol: 'TLSv1.2', cipher: cipherSuites[0] });
});

t.test('suites of both generations serve both versions', async (t) => {
  const cipherSuites = ['TLS_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
  const modern = await connected(t, { server: { cipherSuites } });
  t.equal(modern.client.negotiated.cipher, 'TLS_AES_256_GCM_SHA384');
  const older = await connected(t, {
    server: { cipherSuites },
    client: { maxVersion: 'TLSv1.2' },
  });
  t.equal(older.client.negotiated.cipher, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384');
});

t.test('suites of one version only narrow the version range', async (t) => {
  const only13 = ['TLS_AES_128_GCM_SHA256'];
  const only12 = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'];
  const { client, server } = await failedHandshake(t, {
    server: { cipherSuites: only13 },
    client: { maxVersion: 'TLSv1.2' },
  });
  t.equal(server.code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
  t.equal(client.alert?.code, 70);
  const other = await failedHandshake(t, {
    server: { cipherSuites: only12 },
    client: { minVersion: 'TLSv1.3' },
  });
  t.equal(other.server.code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
});

t.test('pinned to no overlap', async (t) => {
  const pairs: [string, string, ServerConfigOptions][] = [
    ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', {}],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', {}],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', {}],
  ];
  for (const [serverSuite, clientSuite] of pairs) {
    const { client, server } = await failedHandshake(t, {
      server: { cipherSuites: [serverSuite] },
      client: { cipherSuites: [clientSuite] },
    });
    t.match(server, {
      code: 'ERR_SSL_NO_SHARED_CIPHER',
      side: 'server',
      alert: { direction: 'sent', code: 40 },
    });
    t.match(client, {
      code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      side: 'client',
      alert: { direction: 'received', code: 40 },
    });
  }
});

t.test("node:tls's ciphers string selects suites of both generations", async (t) => {
  const ciphers = 'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:!aNULL';
  const modern = await connected(t, { server: { ciphers } });
  t.equal(modern.client.negotiated.cipher, 'TLS_AES_256_GCM_SHA384');
  const older = await connected(t, { server: { ciphers, maxVersion: 'TLSv1.2' } });
  t.equal(older.client.getCipher()?.name, 'ECDHE-ECDSA-CHACHA20-POLY1305');
});

t.test('a security level in the ciphers string is accepted and changes nothing', async (t) => {
  for (const level of ['DEFAULT:@SECLEVEL=1', 'DEFAULT@SECLEVEL=0']) {
    const ciphers = `TLS_AES_128_GCM_SHA256:${level}`;
    const modern = await connected(t, { server: { ciphers } });
    t.equal(modern.client.negotiated.protocol, 'TLSv1.3');
    const older = await connected(t, { server: { ciphers, maxVersion: 'TLSv1.2' } });
    t.equal(older.client.negotiated.protocol, 'TLSv1.2');
  }
});

t.test('ktlsAeadOnly leaves nothing but what the kernel can take', async (t) => {
  const cbc = { cipherSuites: ['ECDHE-ECDSA-AES128-SHA'] };
  const free = await handshake(t, { client: cbc, server: { ciphers: 'ALL' } });
  t.notOk(free.client instanceof Error, 'CBC suites are there when asked for');
  const bound = await failedHandshake(t, {
    client: cbc,
    server: { ciphers: 'ALL', ktlsAeadOnly: true },
  });
  t.equal(bound.server.code, 'ERR_SSL_NO_SHARED_CIPHER');
});

t.test("the server's order decides in TLS 1.2", async (t) => {
  const one = 'ECDHE-ECDSA-CHACHA20-POLY1305';
  const other = 'ECDHE-ECDSA-AES256-GCM-SHA384';
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    const { client } = await connected(t, {
      server: { cipherSuites: [first, second] },
      client: { cipherSuites: [second, first] },
    });
    t.equal(client.getCipher()?.name, first);
  }
});
