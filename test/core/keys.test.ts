/** Every form in which a key and its certificate can be handed over; each must serve a handshake. */
import {
  ClientConfig,
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
} from '@node-aws-lc/core';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { Identity } from '../helpers/certificate.js';
import { clientOptions, connected } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tcpPair } from '../helpers/transports.js';

/** A server made of `options` must present the identity's certificate and hold its key. */
async function serves(t: Test, identity: Identity, options: ServerConfigOptions): Promise<void> {
  const { client } = await connected(t, {
    server: { key: undefined, cert: undefined, ...options },
  });
  t.ok(client.authorized);
  t.equal(client.getPeerX509Certificate()?.fingerprint256, identity.x509.fingerprint256);
}

for (const [kind, make] of [
  ['ECDSA', pki.server],
  ['RSA', pki.serverRsa],
] as const) {
  t.test(`${kind} keys`, async (t) => {
    const identity = await make();
    const cert = identity.chain;
    const traditional = kind === 'RSA' ? 'PKCS#1' : 'SEC1';
    const passphrase = 'correct horse';
    const forms: Record<string, ServerConfigOptions> = {
      'PKCS#8 PEM as a string': { key: identity.key, cert },
      'PKCS#8 PEM as a Buffer': { key: Buffer.from(identity.key), cert: Buffer.from(cert) },
      'PKCS#8 DER': { key: identity.keyDer, cert },
      [`${traditional} PEM`]: { key: identity.keyTraditional, cert },
      [`${traditional} DER`]: { key: identity.keyTraditionalDer, cert },
      'encrypted PKCS#8': { key: identity.keyEncrypted(passphrase), cert, passphrase },
      [`encrypted ${traditional}`]: {
        key: identity.keyTraditionalEncrypted(passphrase),
        cert,
        passphrase,
      },
      'encrypted PKCS#8 with a passphrase of its own': {
        key: [{ pem: identity.keyEncrypted(passphrase), passphrase }],
        cert,
      },
      'a chain as an array of DER certificates': { key: identity.key, cert: identity.chainDer },
      'PEM with Windows line ends': {
        key: identity.key.replaceAll('\n', '\r\n'),
        cert: cert.replaceAll('\n', '\r\n'),
      },
      'PEM without a final line end': { key: identity.key.trimEnd(), cert: cert.trimEnd() },
    };
    for (const [form, options] of Object.entries(forms)) {
      t.test(form, (t) => serves(t, identity, options));
    }
  });
}

t.test('P-384 keys', async (t) => {
  const identity = await pki.serverP384();
  await serves(t, identity, { key: identity.keyTraditional, cert: identity.chain });
});

t.test('Ed25519 keys', async (t) => {
  const identity = await pki.serverEd25519();
  await serves(t, identity, { key: identity.key, cert: identity.chain });
  await serves(t, identity, { key: identity.keyDer, cert: identity.chainDer });
});

t.test(
  'an SEC1 key behind its curve parameters, as `openssl ecparam -genkey` writes it',
  async (t) => {
    const identity = await pki.server();
    const parameters =
      '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    await serves(t, identity, { key: parameters + identity.keyTraditional, cert: identity.chain });
  },
);

t.test(
  'text before a PEM block, as `openssl pkcs12` and `openssl x509 -text` write it',
  async (t) => {
    const identity = await pki.server();
    const heading = 'Bag Attributes\n    friendlyName: test\nsubject=CN = localhost\n';
    await serves(t, identity, { key: heading + identity.key, cert: heading + identity.chain });
  },
);

t.test('key and certificate in one PEM, given as both', async (t) => {
  const identity = await pki.server();
  const both = identity.key + identity.chain;
  await serves(t, identity, { key: both, cert: both });
});

t.test('keyFile, certFile and caFile are read when the configuration is made', async (t) => {
  const identity = await pki.server();
  const root = await pki.root();
  const folder = t.testdir({
    'key.pem': identity.key,
    'chain.pem': identity.chain,
    'root.pem': root.cert,
  });
  const { client } = await connected(t, {
    server: {
      key: undefined,
      cert: undefined,
      keyFile: path.join(folder, 'key.pem'),
      certFile: path.join(folder, 'chain.pem'),
    },
    client: { ca: undefined, caFile: path.join(folder, 'root.pem') },
  });
  t.ok(client.authorized);
});

t.test('a configuration keeps what it was made of, whatever becomes of the options', async (t) => {
  const identity = await pki.server();
  const key = Buffer.from(identity.key);
  const ALPNProtocols = ['h2'];
  const options: ServerConfigOptions = { key, cert: identity.chain, ALPNProtocols };
  const config = new ServerConfig(options);
  key.fill(0);
  ALPNProtocols[0] = 'other';
  options.cert = 'nothing';

  const ends = await tcpPair(t);
  const client = new ClientConfig(await clientOptions({ ALPNProtocols: ['h2'] }));
  const [stream, accepted] = await Promise.all([
    new TlsConnector(client).connect('localhost', ends.client),
    new TlsAcceptor(config).accept(ends.server),
  ]);
  t.equal(stream.negotiated.alpn, 'h2');
  stream.destroy();
  accepted.destroy();
});
