/**
 * What a stream tells about the handshake, in node:tls's shape: the same connection is made with
 * node:tls, and the answers must be equal.
 */
import type { TlsStream } from '@node-aws-lc/core';
import { deepStrictEqual } from 'node:assert';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { type Identity, issue } from '../helpers/certificate.js';
import { connected } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { nextEvent } from '../helpers/wait.js';

/** Our client and node:tls's, connected with the same options to the same kind of server. */
async function twins(
  t: Test,
  identity: Identity,
  options: tls.ConnectionOptions = {},
): Promise<{ ours: TlsStream; theirs: tls.TLSSocket }> {
  const server = { key: identity.key, cert: identity.chain };
  const { client: ours } = await connected(t, { server, client: options as object });
  const { port } = await tlsServer(t, server);
  const ca = (await pki.root()).cert;
  const theirs = tls.connect({ port, host: 'localhost', ca, ...options });
  t.teardown(() => theirs.destroy());
  await nextEvent(theirs, 'secureConnect');
  return { ours, theirs };
}

const kinds = {
  ECDSA: pki.server,
  RSA: pki.serverRsa,
  Ed25519: pki.serverEd25519,
};

for (const [kind, make] of Object.entries(kinds)) {
  t.test(`getPeerCertificate describes an ${kind} certificate as node:tls does`, async (t) => {
    const { ours, theirs } = await twins(t, await make());
    deepStrictEqual(ours.getPeerCertificate(), theirs.getPeerCertificate());
    t.match(ours.getPeerCertificate().subject, { CN: 'localhost' });
  });
}

t.test('getPeerCertificate(true) has the issuers up to the root, as node:tls has', async (t) => {
  const { ours, theirs } = await twins(t, await pki.server());
  const [our, their] = [issuers(ours), issuers(theirs)];
  deepStrictEqual(our, their);
  t.same(our, ['localhost', 'Test Intermediate', 'Test Root', 'itself']);
});

t.test('a self-signed certificate is its own issuer if it may issue', async (t) => {
  const options = { rejectUnauthorized: false };
  const authority = { subject: 'localhost', ca: true, keyUsage: false };
  for (const identity of [await issue(authority), await pki.selfSigned()]) {
    const { ours, theirs } = await twins(t, identity, options);
    t.same(issuers(ours), issuers(theirs));
    t.equal(issuers(ours).includes('itself'), identity.x509.ca);
  }
});

t.test('getPeerX509Certificate is the certificate as Node parses it', async (t) => {
  const identity = await pki.server();
  const { ours, theirs } = await twins(t, identity);
  const certificate = ours.getPeerX509Certificate();
  t.equal(certificate?.toString(), theirs.getPeerX509Certificate()?.toString());
  t.ok(certificate?.checkPrivateKey(identity.privateKey));
});

t.test('the certificate of the peer is still known after the close', async (t) => {
  const { client } = await connected(t);
  const before = client.getPeerX509Certificate();
  await nextEvent(client.destroy(), 'close');
  t.doesNotThrow(() => client.getPeerCertificate());
  t.equal(client.getPeerX509Certificate()?.fingerprint256, before?.fingerprint256);
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`getCipher and getProtocol say what node:tls says, ${maxVersion}`, async (t) => {
    const ciphers = 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
    const { ours, theirs } = await twins(t, await pki.server(), { maxVersion, ciphers });
    t.same(ours.getCipher(), theirs.getCipher());
    t.equal(ours.getProtocol(), theirs.getProtocol());
    t.equal(ours.isSessionReused(), theirs.isSessionReused());
    t.equal(ours.authorized, theirs.authorized);
    t.equal(ours.authorizationError, theirs.authorizationError);
    t.equal(ours.encrypted, theirs.encrypted);
    t.equal(ours.alpnProtocol, theirs.alpnProtocol);
  });
}

/** The common names from the leaf upwards; ends with `itself` where one is its own issuer. */
function issuers(stream: TlsStream | tls.TLSSocket): string[] {
  const names: string[] = [];
  let certificate: Partial<tls.DetailedPeerCertificate> = stream.getPeerCertificate(true);
  while (certificate.subject) {
    names.push(String(certificate.subject.CN));
    const issuer: Partial<tls.DetailedPeerCertificate> | undefined = certificate.issuerCertificate;
    if (issuer === certificate) return [...names, 'itself'];
    certificate = issuer ?? {};
  }
  return names;
}
