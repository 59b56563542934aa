/** What a stream says about kernel TLS where the kernel has none: never a silent fallback. */
import { hostKtlsAvailable, type TlsStream } from '@node-aws-lc/core';
import t from 'tap';
import { connected, handshake } from '../helpers/handshake.js';
import { nextError } from '../helpers/wait.js';

const skip = hostKtlsAvailable() && 'this kernel has TLS; the kernel lab covers it';

t.test('the reason says in words why the kernel does not do it', async (t) => {
  const off = await connected(t, { client: { ktls: 'off' }, server: { ktls: 'off' } });
  for (const end of [off.client, off.server]) {
    t.match(end.ktls, { tx: false, rx: false, reason: /\w+ \w+/ });
    t.equal(end.ktlsActive, false);
  }
  const memory = await connected(t, { transport: 'duplex' });
  t.match(memory.client.ktls, { tx: false, rx: false, reason: /\w+ \w+/ });
  t.not(memory.client.ktls.reason, off.client.ktls.reason, 'and not always the same');
});

t.test('a host without kernel TLS is named as the reason', { skip }, async (t) => {
  const { client } = await connected(t);
  t.match(client.ktls, { tx: false, rx: false, reason: /kernel|module|host/i });
});

t.test('eligibility tells whether the suite is one for the kernel', async (t) => {
  const aead = await connected(t);
  const { protocol, cipher } = aead.client.negotiated;
  t.match(aead.client.ktlsEligibility, { protocol, cipher, eligible: true });
  const suites = { cipherSuites: ['ECDHE-ECDSA-AES128-SHA'] };
  const cbc = await connected(t, { client: suites, server: suites });
  t.equal(cbc.client.ktlsEligibility.eligible, false);
});

t.test('what is required and cannot be had fails the handshake', { skip }, async (t) => {
  for (const ktls of ['require', { tx: 'require' }, { rx: 'require' }] as const) {
    for (const [side, other] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const) {
      const ends = await handshake(t, { [side]: { ktls } });
      t.match(ends[side], { code: 'ERR_AWS_LC_KTLS_REQUIRED', side });
      const told = await nextError(ends[other] as TlsStream);
      t.match(told, { alert: { direction: 'received', name: 'internal_error' } });
    }
  }
});

t.test('a Duplex can never be in the kernel', async (t) => {
  const setup = { transport: 'duplex' as const, client: { ktls: 'require' as const } };
  const { client } = await handshake(t, setup);
  t.match(client, { code: 'ERR_AWS_LC_KTLS_REQUIRED' });
});

t.test('one connection can be limited to suites that the kernel knows', async (t) => {
  const suites = {
    maxVersion: 'TLSv1.2',
    cipherSuites: ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  } as const;
  const cbcFirst = { ...suites, cipherSuites: [...suites.cipherSuites] };
  const setup = { client: cbcFirst, server: cbcFirst };
  const plain = await connected(t, setup);
  t.equal(plain.client.ktlsEligibility.eligible, false);
  const limited = await connected(t, { ...setup, handshake: { ktlsAeadOnly: true } });
  t.equal(limited.client.ktlsEligibility.eligible, true);
  t.equal(limited.server.ktlsEligibility.eligible, true);
});

t.test('one connection of a configuration without such suites in TLS 1.2 is TLS 1.3', async (t) => {
  const suites = { cipherSuites: ['ECDHE-ECDSA-AES128-SHA', 'TLS_AES_128_GCM_SHA256'] };
  const { client } = await connected(t, {
    client: { ...suites, minVersion: 'TLSv1.2' },
    server: suites,
    handshake: { ktlsAeadOnly: true },
  });
  t.equal(client.negotiated.protocol, 'TLSv1.3');
  const refused = await handshake(t, {
    client: { ...suites, maxVersion: 'TLSv1.2' },
    server: suites,
  });
  t.notOk(refused.server instanceof Error, 'without it TLS 1.2 is fine');
});
