/** Private keys that live elsewhere: who signs, what with, and what happens when nobody does. */
import {
  type RemotePrivateKey,
  ServerConfig,
  type SignatureAlgorithm,
  type TlsVersion,
} from '@node-aws-lc/core';
import { constants, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Identity } from '../helpers/certificate.js';
import { connected, failedHandshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { thrown } from '../helpers/wait.js';

/** Signs as a security module would: later, and with what it is asked for. */
function remote(identity: Identity, algorithms: SignatureAlgorithm[], asked: string[] = []) {
  const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  const key: RemotePrivateKey = {
    algorithms,
    async sign(algorithm, data) {
      asked.push(algorithm);
      await sleep(5);
      if (algorithm === 'ed25519') return sign(null, data, identity.privateKey);
      const hash = algorithm.slice(-6);
      const pss = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
      const options = algorithm.startsWith('rsa_pss') ? pss : {};
      return sign(hash, data, { key: identity.privateKey, ...options });
    },
  };
  return { privateKey: key, cert: identity.chain, key: undefined };
}

const cases: [TlsVersion, () => Promise<Identity>, SignatureAlgorithm[], SignatureAlgorithm][] = [
  ['TLSv1.3', pki.server, ['ecdsa_secp256r1_sha256'], 'ecdsa_secp256r1_sha256'],
  ['TLSv1.2', pki.server, ['ecdsa_secp256r1_sha256'], 'ecdsa_secp256r1_sha256'],
  ['TLSv1.3', pki.serverP384, ['ecdsa_secp384r1_sha384'], 'ecdsa_secp384r1_sha384'],
  ['TLSv1.3', pki.serverEd25519, ['ed25519'], 'ed25519'],
  ['TLSv1.3', pki.serverRsa, ['rsa_pkcs1_sha256', 'rsa_pss_rsae_sha384'], 'rsa_pss_rsae_sha384'],
  ['TLSv1.2', pki.serverRsa, ['rsa_pkcs1_sha256', 'rsa_pss_rsae_sha384'], 'rsa_pkcs1_sha256'],
];
for (const [maxVersion, identity, algorithms, expected] of cases) {
  t.test(`a server signs elsewhere with ${expected}, ${maxVersion}`, async (t) => {
    const asked: string[] = [];
    const server = { ...remote(await identity(), algorithms, asked), maxVersion };
    const { client, server: peer } = await connected(t, { server });
    t.equal(client.authorized, true);
    t.equal(client.negotiated.protocol, maxVersion);
    t.same(asked, [expected]);
    t.equal(await sent(client, peer, 'hello'), 'hello');
  });
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a client signs elsewhere, ${maxVersion}`, async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const client = remote(await pki.client(), ['ecdsa_secp256r1_sha256']);
    const server = { ca, clientAuth: 'required', maxVersion } as const;
    const { server: peer } = await connected(t, { server, client });
    t.equal(peer.authorized, true);
    t.match(peer.getPeerCertificate().subject, { CN: 'Test Client' });
  });
}

t.test('a signer that fails, or signs nonsense, fails the handshake with its error', async (t) => {
  const right = remote(await pki.server(), ['ecdsa_secp256r1_sha256']);
  const failing = async (sign: () => unknown) => {
    const privateKey = { ...right.privateKey, sign } as RemotePrivateKey;
    return failedHandshake(t, { server: { ...right, privateKey } });
  };
  const cause = new Error('module on fire');
  const thrownAtOnce = await failing(() => {
    throw cause;
  });
  const rejected = await failing(() => Promise.reject(cause));
  for (const { server, client } of [thrownAtOnce, rejected]) {
    t.match(server, { code: 'ERR_AWS_LC_PRIVATE_KEY', side: 'server', cause });
    t.match(server.message, 'module on fire');
    t.match(client.alert, { name: 'internal_error', direction: 'received' });
  }
  for (const nonsense of [undefined, 'text', Buffer.alloc(0)]) {
    const { server } = await failing(() => nonsense);
    t.match(server, { code: 'ERR_AWS_LC_PRIVATE_KEY', cause: { name: 'TypeError' } });
  }
  const wrong = Buffer.alloc(70, 1);
  wrong[0] = 0x30;
  const { client } = await failing(() => Promise.resolve(wrong));
  t.match(client.code, 'ERR_SSL_');
  const noDer = await failing(() => Promise.resolve(Buffer.alloc(64, 1)));
  t.match(noDer.server, { code: 'ERR_AWS_LC_PRIVATE_KEY', message: /not in DER/ });
  const text = await failing(() => Promise.resolve(Buffer.alloc(96, 'MEUC')));
  t.match(text.server, { code: 'ERR_AWS_LC_PRIVATE_KEY', message: /96 bytes.* 72 at most/ });
  t.match(text.client.alert, { name: 'internal_error', direction: 'received' });
});

t.test('a signer that never answers costs a time-out, and the loop goes on', async (t) => {
  const right = remote(await pki.server(), ['ecdsa_secp256r1_sha256']);
  let signal: AbortSignal | undefined;
  const sign: RemotePrivateKey['sign'] = (_algorithm, _data, given) => {
    signal = given;
    return new Promise<never>(() => {});
  };
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  t.teardown(() => clearInterval(timer));
  const server = { ...right, privateKey: { ...right.privateKey, sign }, handshakeTimeout: 200 };
  const { server: error } = await failedHandshake(t, { server });
  t.match(error, { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  t.ok(turns >= 5, `${turns} turns meanwhile`);
  t.equal(signal?.aborted, true, 'and the signer is told that nobody waits');
});

t.test('what cannot work is refused when it is configured', async (t) => {
  const ec = remote(await pki.server(), ['ecdsa_secp256r1_sha256']);
  const rsa = remote(await pki.serverRsa(), ['rsa_pss_rsae_sha256']);
  const { key } = await pki.server();
  const bad: [object, string][] = [
    [{ ...ec, privateKey: {} }, 'ERR_AWS_LC_CONFIG_TYPE'],
    [{ ...ec, privateKey: null }, 'ERR_AWS_LC_CONFIG_TYPE'],
    [{ ...ec, privateKey: { ...ec.privateKey, algorithms: [] } }, 'ERR_AWS_LC_CONFIG_TYPE'],
    [{ ...ec, privateKey: { ...ec.privateKey, algorithms: ['md5'] } }, 'ERR_AWS_LC_CONFIG_TYPE'],
    [{ ...ec, privateKey: rsa.privateKey }, 'ERR_AWS_LC_CONFIG_KEY_MISMATCH'],
    [{ ...ec, key }, 'ERR_AWS_LC_CONFIG_CONFLICT'],
    [{ ...ec, cert: undefined }, 'ERR_AWS_LC_CONFIG_MISSING'],
    [{ ...rsa, ciphers: 'AES128-GCM-SHA256' }, 'ERR_AWS_LC_CONFIG_CIPHER'],
  ];
  for (const [options, code] of bad) {
    t.equal(thrown(() => new ServerConfig(options as never)).code, code);
  }
  const { client } = await failedHandshake(t, {
    server: { ...rsa, maxVersion: 'TLSv1.2' },
    client: { ciphers: 'AES128-GCM-SHA256', maxVersion: 'TLSv1.2' },
  });
  t.match(client.alert, { name: 'handshake_failure' }, 'RSA key exchange is not on offer');
});
