/**
 * Certificates, good and bad: for each the connector must come to the conclusion that undici's own
 * connector comes to against the same server, under the same code.
 */
import type { PeerCertificate } from 'node:tls';
import { createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import type * as undici7 from 'undici';
import { type Identity, issue } from '../helpers/certificate.js';
import * as pki from '../helpers/pki.js';
import { type Origin, startOrigin } from './origin.js';
import { type Undici, type UndiciVersion, undicis } from './undicis.js';

interface TlsError extends Error {
  code?: string;
  reason?: string;
  host?: string;
  cert?: PeerCertificate;
}

/** One server certificate, and what it must lead to. */
interface Case {
  name: string;
  identity: () => Promise<Identity>;
  /** What the server sends, when it is not the identity's own chain. */
  chain?: (identity: Identity) => Promise<string>;
  /** What the client trusts; {@link pki.root} by default. */
  ca?: () => Promise<Identity>;
  hostname?: string;
  code: string | undefined;
}

const cases: Case[] = [
  { name: 'a right certificate', identity: pki.server, code: undefined },
  { name: 'an RSA certificate', identity: pki.serverRsa, code: undefined },
  {
    name: 'a self-signed certificate',
    identity: pki.selfSigned,
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    name: 'a self-signed certificate that is trusted itself',
    identity: pki.selfSigned,
    ca: pki.selfSigned,
    code: undefined,
  },
  {
    name: 'a self-signed certificate that has the name of a root',
    identity: pki.selfSigned,
    ca: () => issue({ subject: 'localhost', ca: true }),
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    name: 'an unknown issuer',
    identity: pki.untrustedServer,
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  {
    name: 'an unknown issuer that is in the chain',
    identity: pki.untrustedServer,
    chain: async ({ cert }) => cert + (await pki.otherRoot()).cert,
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
  },
  {
    name: 'an intermediate of an unknown root',
    identity: pki.server,
    ca: pki.otherRoot,
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  },
  {
    name: 'a chain without its intermediate',
    identity: pki.server,
    chain: async ({ cert }) => cert,
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  { name: 'an expired certificate', identity: pki.expiredServer, code: 'CERT_HAS_EXPIRED' },
  {
    name: 'a certificate that is not valid yet',
    identity: pki.futureServer,
    code: 'CERT_NOT_YET_VALID',
  },
  {
    name: 'a certificate for another purpose',
    identity: pki.wrongPurposeServer,
    code: 'INVALID_PURPOSE',
  },
  {
    name: 'a certificate for another name',
    identity: () => pki.serverFor(['dns:other.example.test']),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'an address that the certificate names',
    identity: pki.server,
    hostname: '127.0.0.1',
    code: undefined,
  },
  {
    name: 'an address that the certificate does not name',
    identity: () => pki.serverFor(['dns:localhost', 'ip:127.0.0.2']),
    hostname: '127.0.0.1',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
];

for (const version of undicis) {
  t.test(version.name, { skip: version.skip }, (t) => certificates(t, version));
}

async function certificates(t: tap.Test, { undici }: UndiciVersion): Promise<void> {
  for (const { name, identity, chain, ca, hostname, code } of cases) {
    t.test(name, async (t) => {
      const server = await identity();
      const cert = chain === undefined ? server.chain : await chain(server);
      const origin = await start(t, { key: server.key, cert });
      const url = origin.url.replace('localhost', hostname ?? 'localhost');
      const options = { ca: (await (ca ?? pki.root)()).cert };

      const theirs = await failure(undici!, url, options);
      t.equal(theirs?.code, code, 'by undici');
      const ours = await failure(undici!, url, createConnector(options));
      t.equal(ours?.code, code, 'by the connector');
      t.equal(ours?.reason, theirs?.reason);
      t.equal(ours?.host, theirs?.host);
      t.equal(ours?.cert?.fingerprint256, theirs?.cert?.fingerprint256);
    });
  }

  t.test('fetch gives the code as its cause', async (t) => {
    const { key, cert } = await pki.selfSigned();
    const origin = await start(t, { key, cert });
    const { cert: ca } = await pki.root();
    const dispatcher = new undici!.Agent({ connect: createConnector({ ca }) });
    t.teardown(() => dispatcher.destroy());
    await t.rejects(undici!.fetch(origin.url, { dispatcher }), {
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });

  t.test('rejectUnauthorized: false takes any certificate', async (t) => {
    const { key, cert } = await pki.expiredServer();
    const origin = await start(t, { key, cert });
    const connect = createConnector({ rejectUnauthorized: false });
    t.equal(await failure(undici!, origin.url, connect), undefined);
  });

  t.test('NODE_TLS_REJECT_UNAUTHORIZED=0 does, where no option speaks', async (t) => {
    const { key, cert } = await pki.expiredServer();
    const origin = await start(t, { key, cert });
    t.teardown(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    t.equal(await failure(undici!, origin.url, createConnector()), undefined);
    const strict = createConnector({ rejectUnauthorized: true });
    t.match(await failure(undici!, origin.url, strict), { code: /CERT|VERIFY/ });
  });

  t.test('checkServerIdentity decides about the name', async (t) => {
    const { key, chain } = await pki.server();
    const origin = await start(t, { key, cert: chain });
    const { cert: ca } = await pki.root();
    const refusal = new Error('not to my liking');
    const seen: { host?: string; cn?: string } = {};
    const connect = createConnector({
      ca,
      checkServerIdentity: (host, { subject }) => {
        Object.assign(seen, { host, cn: subject.CN });
        return refusal;
      },
    });
    const error = await failure(undici!, origin.url, connect);
    t.equal(error, refusal);
    t.strictSame(seen, { host: 'localhost', cn: 'localhost' });
  });

  t.test('a client certificate', async (t) => {
    const origin = await startMutual(t);
    const { cert: ca } = await pki.root();
    const { key, cert } = await pki.client();
    const connect = createConnector({ ca, key, cert });
    const dispatcher = new undici!.Agent({ connect });
    t.teardown(() => dispatcher.destroy());
    const { body } = await undici!.request(origin.url, { dispatcher });
    t.match(await body.json(), { authorized: true, client: 'Test Client' });
  });

  t.test('a missing client certificate over TLS 1.2', async (t) => {
    const origin = await startMutual(t);
    const options = { ca: (await pki.root()).cert, maxVersion: 'TLSv1.2' } as const;
    const theirs = await failure(undici!, origin.url, options);
    const ours = await failure(undici!, origin.url, createConnector(options));
    // OpenSSL 3.5 calls it SSL/TLS where OpenSSL 3.0 and AWS-LC say SSLV3.
    t.match(theirs?.code, /ALERT_HANDSHAKE_FAILURE$/);
    t.equal(ours?.code, 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
  });

  // The refusal comes after the client's handshake, when the request may be on its way. What of it
  // arrives with undici's own connector is a matter of luck.
  t.test('a missing client certificate over TLS 1.3', async (t) => {
    const origin = await startMutual(t);
    const connect = createConnector({ ca: (await pki.root()).cert, minVersion: 'TLSv1.3' });
    const ours = await failure(undici!, origin.url, connect);
    t.equal(ours?.code, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  });
}

async function start(t: tap.Test, tls: object): Promise<Origin> {
  const origin = await startOrigin({ tls });
  // What the server thinks of a refused handshake is not the subject.
  origin.server.on('tlsClientError', () => {});
  t.teardown(() => origin.close());
  return origin;
}

async function startMutual(t: tap.Test): Promise<Origin> {
  const { key, chain: cert } = await pki.server();
  const { cert: ca } = await pki.clientRoot();
  return start(t, { key, cert, ca, requestCert: true, rejectUnauthorized: true });
}

/** What a request to `url` fails with; undefined when it succeeds. */
async function failure(
  undici: Undici,
  url: string,
  connect: undici7.Agent.Options['connect'],
): Promise<TlsError | undefined> {
  const dispatcher = new undici.Agent({ connect });
  try {
    const { body } = await undici.request(url, { dispatcher });
    await body.dump();
    return undefined;
  } catch (error) {
    return error as TlsError;
  } finally {
    await dispatcher.destroy();
  }
}
