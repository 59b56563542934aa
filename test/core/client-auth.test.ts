/** Client certificates: none, optional, required, judged against private roots. */
import type { ClientConfigOptions, ServerConfigOptions, TlsVersion } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import type { Identity } from '../helpers/certificate.js';
import { connected, handshake, type Outcome, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { type CodedError, nextError } from '../helpers/wait.js';

type Auth = NonNullable<ServerConfigOptions['clientAuth']>;

function presenting(identity: Identity): ClientConfigOptions {
  return { key: identity.key, cert: identity.chain };
}

async function asking(clientAuth: Auth, version?: TlsVersion): Promise<ServerConfigOptions> {
  const ca = (await pki.clientRoot()).cert;
  return { ca, clientAuth, ...(version && { minVersion: version, maxVersion: version }) };
}

/**
 * The client's error. In TLS 1.2 the server's judgement belongs to the handshake; in TLS 1.3 the
 * client is through before the server has judged, and hears of it on the stream.
 */
async function clientError(t: Test, outcome: Outcome, version: TlsVersion): Promise<CodedError> {
  const { client } = outcome;
  if (client instanceof Error) {
    t.equal(version, 'TLSv1.2', 'only TLS 1.2 refuses in the handshake');
    return client;
  }
  t.equal(version, 'TLSv1.3', 'only TLS 1.3 refuses on the stream');
  return nextError(client);
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`required with a certificate, ${version}`, async (t) => {
    const identity = await pki.client();
    const { client, server } = await connected(t, {
      server: await asking('required', version),
      client: presenting(identity),
    });
    t.equal(server.authorized, true);
    t.not(server.authorizationError, 'any error');
    t.equal(server.getPeerX509Certificate()?.fingerprint256, identity.x509.fingerprint256);
    t.match(server.getPeerCertificate().subject, { CN: 'Test Client', O: 'node-aws-lc' });
    t.equal(await sent(client, server, 'there'), 'there');
    t.equal(await sent(server, client, 'back'), 'back');
  });

  t.test(`required without a certificate, ${version}`, async (t) => {
    const outcome = await handshake(t, { server: await asking('required', version) });
    const alert = version === 'TLSv1.3' ? 116 : 40;
    t.match(outcome.server, {
      code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
      side: 'server',
      alert: { direction: 'sent', code: alert },
    });
    t.match(await clientError(t, outcome, version), {
      code:
        version === 'TLSv1.3'
          ? 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
          : 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      side: 'client',
      alert: { direction: 'received', code: alert },
    });
  });

  for (const clientAuth of ['required', 'optional'] as const) {
    t.test(`${clientAuth} with a certificate outside the private roots, ${version}`, async (t) => {
      const outcome = await handshake(t, {
        server: await asking(clientAuth, version),
        client: presenting(await pki.untrustedClient()),
      });
      t.match(outcome.server, {
        code: /^UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT_LOCALLY)$/,
        side: 'server',
        alert: { direction: 'sent', code: 48 },
      });
      t.match(await clientError(t, outcome, version), {
        code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
        side: 'client',
        alert: { direction: 'received', code: 48 },
      });
    });
  }

  t.test(`optional without a certificate, ${version}`, async (t) => {
    const { client, server } = await connected(t, { server: await asking('optional', version) });
    t.equal(server.authorized, false, 'nobody was authorized');
    t.equal(server.authorizationError, 'UNABLE_TO_GET_ISSUER_CERT', 'as node:tls says it');
    t.same(server.getPeerCertificate(), {});
    t.equal(server.getPeerX509Certificate(), undefined);
    t.equal(await sent(client, server, 'there'), 'there');
  });

  t.test(`optional with a certificate, ${version}`, async (t) => {
    const { server } = await connected(t, {
      server: await asking('optional', version),
      client: presenting(await pki.client()),
    });
    t.equal(server.authorized, true);
  });
}

t.test('none asks for nothing', async (t) => {
  const { server } = await connected(t, { client: presenting(await pki.client()) });
  t.equal(server.authorized, false);
  t.same(server.getPeerCertificate(), {});
});

t.test('a client certificate that is no longer valid', async (t) => {
  const { server } = await handshake(t, {
    server: await asking('required'),
    client: presenting(await pki.expiredClient()),
  });
  t.match(server, { code: 'CERT_HAS_EXPIRED', alert: { direction: 'sent', code: 45 } });
});

t.test('a certificate that is not for clients', async (t) => {
  const { server } = await handshake(t, {
    server: { ...(await asking('required')), ca: (await pki.root()).cert },
    client: presenting(await pki.server()),
  });
  t.match(server, { code: 'INVALID_PURPOSE', side: 'server' });
});

t.test('a client certificate as DER', async (t) => {
  const identity = await pki.client();
  const { server } = await connected(t, {
    server: { ...(await asking('required')), ca: (await pki.clientRoot()).certDer },
    client: { key: identity.keyDer, cert: identity.certDer },
  });
  t.equal(server.authorized, true);
});

t.test('a client that sends its intermediates is verified through them', async (t) => {
  const identity = await pki.server();
  const { server } = await handshake(t, {
    server: { requestCert: true, rejectUnauthorized: false, ca: (await pki.root()).cert },
    client: presenting(identity),
  });
  if (server instanceof Error) throw server;
  t.match(String(server.authorizationError), 'INVALID_PURPOSE', 'the chain itself is complete');
});

t.test(
  "node:tls's requestCert without rejectUnauthorized lets the stranger in and says so",
  async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const { client, server } = await connected(t, {
      server: { ca, requestCert: true, rejectUnauthorized: false },
      client: presenting(await pki.untrustedClient()),
    });
    t.equal(server.authorized, false);
    t.match(String(server.authorizationError), /^UNABLE_TO_/);
    t.match(server.getPeerCertificate().subject, { CN: 'Stranger' });
    t.equal(await sent(client, server, 'there'), 'there');
  },
);

t.test("node:tls's requestCert alone refuses the stranger", async (t) => {
  const ca = (await pki.clientRoot()).cert;
  const { server } = await handshake(t, {
    server: { ca, requestCert: true },
    client: presenting(await pki.untrustedClient()),
  });
  t.match(server, { code: /^UNABLE_TO_/, side: 'server' });
});
