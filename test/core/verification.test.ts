/**
 * How a client judges a server's chain. The codes are Node's own: every case is also put to
 * node:tls, and both must say the same.
 */
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { type Identity, issue } from '../helpers/certificate.js';
import { connected, failedHandshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { nextError } from '../helpers/wait.js';

interface Case {
  identity: () => Promise<Identity>;
  /** What the server sends; default its whole chain. */
  sends?: (identity: Identity) => string;
  code: string;
  /** The alert that tells the server. */
  alert: number;
}

const selfSignedAuthority = async () =>
  issue({ subject: 'localhost', names: pki.serverNames, ca: true, keyUsage: false });

const signedByLeaf = async () =>
  issue({ subject: 'localhost', names: pki.serverNames, issuer: await pki.selfSigned() });

const cases: Record<string, Case> = {
  'a certificate that signs itself': {
    identity: pki.selfSigned,
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    alert: 48,
  },
  'a certificate authority that signs itself, as `openssl req -x509` makes it': {
    identity: selfSignedAuthority,
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    alert: 48,
  },
  'an untrusted server': {
    identity: pki.untrustedServer,
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 48,
  },
  'a chain up to a root that is not trusted': {
    identity: pki.untrustedServer,
    sends: (identity) => identity.cert + identity.issuer!.cert,
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
    alert: 48,
  },
  'a missing intermediate': {
    identity: pki.server,
    sends: (identity) => identity.cert,
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 48,
  },
  'an expired certificate': {
    identity: pki.expiredServer,
    code: 'CERT_HAS_EXPIRED',
    alert: 45,
  },
  'a certificate that is not valid yet': {
    identity: pki.futureServer,
    code: 'CERT_NOT_YET_VALID',
    alert: 45,
  },
  'a certificate for another purpose': {
    identity: pki.wrongPurposeServer,
    code: 'INVALID_PURPOSE',
    alert: 43,
  },
};

for (const [what, { identity: make, sends, code, alert }] of Object.entries(cases)) {
  t.test(what, async (t) => {
    const identity = await make();
    const server = { key: identity.key, cert: sends ? sends(identity) : identity.chain };
    t.equal(await nodeTlsCode(t, server), code, 'node:tls says so');
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const failure = await failedHandshake(t, { server: { ...server, maxVersion } });
      t.match(failure.client, { code, side: 'client', alert: { direction: 'sent', code: alert } });
      t.match(failure.server, {
        code: /^ERR_SSL_(TLSV1|SSLV3)_ALERT_/,
        side: 'server',
        alert: { direction: 'received', code: alert },
      });
    }
  });

  t.test(`${what}, with verification disabled`, async (t) => {
    const identity = await make();
    const { client, server } = await connected(t, {
      server: { key: identity.key, cert: sends ? sends(identity) : identity.chain },
      client: { rejectUnauthorized: false },
    });
    t.equal(client.authorized, false);
    t.equal(String(client.authorizationError), code);
    t.equal(client.getPeerX509Certificate()?.fingerprint256, identity.x509.fingerprint256);
    t.equal(await sent(client, server, 'there'), 'there');
  });
}

t.test('a certificate signed by another that is no authority', async (t) => {
  const identity = await signedByLeaf();
  const server = { key: identity.key, cert: identity.cert };
  const ca = identity.issuer!.cert;
  const { client } = await failedHandshake(t, { server, client: { ca } });
  // node:tls itself only says UNSPECIFIED here.
  t.match(client, { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', side: 'client' });
});

t.test('the error says what is wrong in words', async (t) => {
  const { key, cert } = await pki.expiredServer();
  const { client } = await failedHandshake(t, { server: { key, cert } });
  t.match(client.message, /expired/);
});

t.test('a good chain is authorized and carries no error', async (t) => {
  const { client } = await connected(t);
  t.equal(client.authorized, true);
  t.notOk(client.authorizationError);
});

t.test('a self-signed certificate is trusted where it is itself the root', async (t) => {
  for (const identity of [await pki.selfSigned(), await selfSignedAuthority()]) {
    const server = { key: identity.key, cert: identity.cert };
    const { client } = await connected(t, { server, client: { ca: identity.cert } });
    t.equal(client.authorized, true);
  }
});

t.test('a chain is trusted through an intermediate that the client knows', async (t) => {
  const { key, cert } = await pki.server();
  const ca = [(await pki.root()).cert, (await pki.intermediate()).cert];
  const { client } = await connected(t, { server: { key, cert }, client: { ca } });
  t.equal(client.authorized, true);
});

t.test('roots as DER, as a bundle and as a mixed list', async (t) => {
  const root = await pki.root();
  const other = await pki.otherRoot();
  const forms = [
    root.certDer,
    Buffer.from(root.cert),
    other.cert + root.cert,
    [other.certDer, root.cert],
  ];
  for (const ca of forms) {
    const { client } = await connected(t, { client: { ca } });
    t.equal(client.authorized, true);
  }
});

t.test('an empty list of roots trusts nobody', async (t) => {
  const { client } = await failedHandshake(t, { client: { ca: [] } });
  t.match(client.code, /^UNABLE_TO_/);
});

async function nodeTlsCode(
  t: Test,
  server: { key: string; cert: string },
): Promise<string | undefined> {
  const { port } = await tlsServer(t, server);
  const ca = (await pki.root()).cert;
  const socket = tls.connect({ port, host: 'localhost', ca });
  t.teardown(() => socket.destroy());
  return (await nextError(socket)).code;
}
