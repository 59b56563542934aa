/** Several certificates, PKCS #12, revocation lists, stapled OCSP, signature algorithms and the key log. */
import { ClientConfig, ServerConfig, type ServerConfigOptions } from '@node-aws-lc/core';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { run } from '../helpers/children.js';
import type { Identity } from '../helpers/certificate.js';
import { connected, failedHandshake, handshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { revocationList } from '../helpers/revocation-list.js';
import { tlsServer } from '../helpers/server.js';
import { missing } from '../helpers/tools.js';
import { nextEvent, thrown } from '../helpers/wait.js';

const bothVersions = ['TLSv1.2', 'TLSv1.3'] as const;

async function everyKind() {
  return {
    rsa: await pki.serverRsa(),
    p384: await pki.serverP384(),
    p256: await pki.server(),
    ed25519: await pki.serverEd25519(),
  };
}

t.test('of several certificates the client is shown one that it can verify', async (t) => {
  const kinds = await everyKind();
  const identities = Object.values(kinds);
  const options = {
    key: identities.map(({ key }) => key),
    // Another order than that of the keys: each finds its own.
    cert: identities.map(({ chain }) => chain).reverse(),
  };
  const server = await tlsServer(t, options);
  const cases: [sigalgs: string, expected: string, client?: tls.ConnectionOptions][] = [
    ['rsa_pss_rsae_sha256', 'rsa'],
    ['ecdsa_secp256r1_sha256', 'p256'],
    ['ecdsa_secp384r1_sha384', 'p384', { minVersion: 'TLSv1.3' }],
    ['ecdsa_secp384r1_sha384', 'p384', { maxVersion: 'TLSv1.2', ecdhCurve: 'P-384' }],
    ['ed25519', 'ed25519'],
    ['RSA+SHA256', 'rsa', { maxVersion: 'TLSv1.2' }],
    [
      'ECDSA+SHA256:RSA-PSS+SHA256',
      'rsa',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
    ],
    [
      'ECDSA+SHA256:RSA-PSS+SHA256',
      'p256',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', ecdhCurve: 'P-256' },
    ],
  ];
  for (const [sigalgs, expected, client] of cases) {
    const socket = tls.connect({
      port: server.port,
      host: 'localhost',
      rejectUnauthorized: false,
      // The chain's own signatures are no concern of this test.
      sigalgs,
      ...client,
    });
    await nextEvent(socket, 'secureConnect');
    const seen = socket.getPeerX509Certificate()?.fingerprint256;
    const kind = Object.entries(kinds).find(
      ([, identity]) => identity.x509.fingerprint256 === seen,
    );
    t.equal(kind?.[0], expected, `${sigalgs} ${JSON.stringify(client ?? {})}`);
    socket.destroy();
  }
});

t.test('a client that can verify all of them is shown what node:tls shows', async (t) => {
  const kinds = await everyKind();
  const shown = async (port: number): Promise<string> => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await nextEvent(socket, 'secureConnect');
    const seen = socket.getPeerX509Certificate()!.fingerprint256;
    socket.destroy();
    return Object.entries(kinds).find(([, { x509 }]) => x509.fingerprint256 === seen)![0];
  };
  for (const names of [
    ['rsa', 'p384', 'ed25519'],
    ['ed25519', 'rsa', 'p256'],
    ['ed25519', 'rsa'],
    ['rsa', 'p384'],
  ] as const) {
    const key = names.map((name) => kinds[name].key);
    const cert = names.map((name) => kinds[name].chain);
    const ours = await tlsServer(t, { key, cert });
    const theirs = tls.createServer({ key, cert }, (socket) => void socket.on('error', () => {}));
    theirs.listen(0, '127.0.0.1');
    t.teardown(() => theirs.close());
    await nextEvent(theirs, 'listening');
    const { port } = theirs.address() as net.AddressInfo;
    t.equal(await shown(ours.port), await shown(port), `of ${names.join(', ')}`);
  }
});

t.test('a client that can verify none of them is refused', async (t) => {
  const { key, chain: cert } = await pki.server();
  const ed25519 = await pki.serverEd25519();
  const server = await tlsServer(t, { key: [key, ed25519.key], cert: [cert, ed25519.chain] });
  const socket = tls.connect({
    port: server.port,
    host: 'localhost',
    sigalgs: 'rsa_pss_rsae_sha256',
  });
  socket.on('error', () => {});
  t.match(await server.failed(), { code: /NO_SHARED_(CIPHER|SIGNATURE_ALGORITHMS)/ });
});

t.test('sigalgs bound what is signed with and what is accepted', async (t) => {
  const { key, chain: cert } = await pki.serverRsa();
  const server = { key, cert, sigalgs: 'rsa_pss_rsae_sha512' };
  const { client } = await connected(t, { server });
  t.equal(client.authorized, true);
  const failed = await failedHandshake(t, { server, client: { sigalgs: 'rsa_pss_rsae_sha256' } });
  t.match(failed.server, { code: 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS' });
});

t.test('a leaf alone is sent with the intermediates that `ca` has', async (t) => {
  const { key, cert } = await pki.server();
  const ca = [(await pki.intermediate()).cert, (await pki.root()).cert];
  const { client } = await connected(t, { server: { key, cert, ca } });
  t.equal(client.authorized, true);
});

// --- PKCS #12 ----------------------------------------------------------------------------------

async function pkcs12(t: Test, identity: Identity, passphrase: string, more: string[] = []) {
  const folder = t.testdir({
    'key.pem': identity.key,
    'cert.pem': identity.cert,
    'more.pem': more.join('') || identity.cert,
  });
  const file = (name: string): string => path.join(folder, name);
  const from = ['-inkey', file('key.pem'), '-in', file('cert.pem')];
  const others = more.length > 0 ? ['-certfile', file('more.pem')] : [];
  const to = ['-passout', `pass:${passphrase}`];
  const args = ['pkcs12', '-export', ...from, ...others, ...to, '-out', file('out.p12')];
  const { code, stderr } = await run(t, 'openssl', args);
  if (code !== 0) throw new Error(stderr);
  return readFileSync(file('out.p12'));
}

t.test('pfx', { skip: missing('openssl', 'openssl') }, async (t) => {
  const identity = await pki.server();
  const intermediate = (await pki.intermediate()).cert;
  const root = (await pki.root()).cert;
  const pfx = await pkcs12(t, identity, 'secret', [intermediate]);
  const bare = { key: undefined, cert: undefined };

  t.test('brings the key with its chain', async (t) => {
    for (const options of [
      { pfx, passphrase: 'secret' },
      { pfx: [pfx], passphrase: 'secret' },
      { pfx: [{ buf: pfx, passphrase: 'secret' }] },
      { pfx: [{ buf: pfx, passphrase: 'secret' }], passphrase: 'another' },
    ]) {
      const { client } = await connected(t, { server: { ...bare, ...options } });
      t.equal(client.authorized, true);
    }
  });

  t.test('several, chosen by what the client can verify', async (t) => {
    const rsa = await pkcs12(t, await pki.serverRsa(), '', [intermediate]);
    const server = {
      ...bare,
      pfx: [
        { buf: pfx, passphrase: 'secret' },
        { buf: rsa, passphrase: '' },
      ],
    };
    const { client } = await connected(t, {
      server,
      client: { sigalgs: 'RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA256' },
    });
    t.equal(client.authorized, true);
  });

  t.test('its authorities are trusted, as in node:tls', async (t) => {
    const mine = await pki.client();
    const withRoot = await pkcs12(t, mine, 'secret', [root]);
    const client = { ca: [], pfx: withRoot, passphrase: 'secret' };
    const ends = await connected(t, {
      server: { requestCert: true, ca: (await pki.clientRoot()).cert },
      client,
    });
    t.equal(ends.client.authorized, true);
    t.equal(ends.server.authorized, true);
  });

  t.test('but not by a server with clientAuth', async (t) => {
    const withRoot = await pkcs12(t, identity, 'secret', [
      intermediate,
      (await pki.otherRoot()).cert,
    ]);
    const stranger = await pki.untrustedClient();
    const base = {
      ...bare,
      pfx: withRoot,
      passphrase: 'secret',
      ca: (await pki.clientRoot()).cert,
    };
    const client = { key: stranger.key, cert: stranger.cert, maxVersion: 'TLSv1.2' as const };
    const strict = await handshake(t, { server: { ...base, clientAuth: 'required' }, client });
    t.match(strict.server, { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    const asNode = await connected(t, { server: { ...base, requestCert: true }, client });
    t.equal(asNode.server.authorized, true);
  });

  t.test('what is wrong is said at once', async (t) => {
    const cases: [ServerConfigOptions, string][] = [
      [{ pfx, passphrase: 'wrong' }, 'PASSPHRASE'],
      [{ pfx }, 'PASSPHRASE'],
      [{ pfx: Buffer.from('junk') }, 'PFX'],
      [{ pfx: pfx.subarray(0, -1), passphrase: 'secret' }, 'PFX'],
      [{ pfx: 5 as never }, 'TYPE'],
      [{ pfx, passphrase: 5 as never }, 'TYPE'],
    ];
    for (const [options, code] of cases) {
      for (const make of [() => new ServerConfig(options), () => new ClientConfig(options)]) {
        t.equal(thrown(make).code, `ERR_AWS_LC_CONFIG_${code}`);
      }
    }
  });
});

// --- revocation --------------------------------------------------------------------------------

t.test('revocation lists', async (t) => {
  const [root, intermediate, server] = [
    await pki.root(),
    await pki.intermediate(),
    await pki.server(),
  ];
  const ofRoot = await revocationList(root);
  const ofIntermediate = await revocationList(intermediate);
  const past = new Date(Date.now() - 1000);
  const cases: Record<string, [crl: string | string[], code: string | undefined]> = {
    good: [[ofRoot, ofIntermediate], undefined],
    'good, in one text': [ofRoot + ofIntermediate, undefined],
    'leaf revoked': [[ofRoot, await revocationList(intermediate, [server])], 'CERT_REVOKED'],
    'intermediate revoked': [
      [await revocationList(root, [intermediate]), ofIntermediate],
      'CERT_REVOKED',
    ],
    'none for the leaf': [[ofRoot], 'UNABLE_TO_GET_CRL'],
    'none for the intermediate': [[ofIntermediate], 'UNABLE_TO_GET_CRL'],
    'out of date': [[ofRoot, await revocationList(intermediate, [], past)], 'CRL_HAS_EXPIRED'],
    "somebody else's": [
      [ofRoot, ofIntermediate, await revocationList(await pki.otherRoot(), [server])],
      undefined,
    ],
  };
  const nodeServer = tls.createServer({ key: server.key, cert: server.chain }).listen(0);
  nodeServer.on('tlsClientError', () => {});
  t.teardown(() => nodeServer.close());
  const { port } = nodeServer.address() as { port: number };
  for (const [what, [crl, code]] of Object.entries(cases)) {
    const theirs = tls.connect({
      port,
      host: 'localhost',
      ca: root.cert,
      crl,
      rejectUnauthorized: false,
    });
    await nextEvent(theirs, 'secureConnect');
    if (!Array.isArray(crl)) t.pass('node:tls reads one list of a text');
    else {
      t.equal(
        (theirs.authorizationError as unknown) ?? undefined,
        code as never,
        `${what}, node:tls`,
      );
    }
    theirs.destroy();
    for (const maxVersion of bothVersions) {
      const { client } = await handshake(t, { client: { crl, maxVersion } });
      if (code === undefined) t.notOk(client instanceof Error, what);
      else t.match(client, { code }, what);
    }
    const lax = await connected(t, { client: { crl, rejectUnauthorized: false } });
    t.equal(lax.client.authorizationError, code ?? null, what);
  }
});

t.test('a server judges its clients by revocation lists', async (t) => {
  const [root, { key, cert }] = [await pki.clientRoot(), await pki.client()];
  const revoked = await revocationList(root, [await pki.client()]);
  for (const [crl, code] of [
    [await revocationList(root), undefined],
    [revoked, 'CERT_REVOKED'],
  ] as const) {
    const server = { ca: root.cert, clientAuth: 'required', crl } as const;
    const ends = await handshake(t, { server, client: { key, cert, maxVersion: 'TLSv1.2' } });
    if (code === undefined) t.notOk(ends.server instanceof Error);
    else t.match(ends.server, { code, alert: { code: 44 } });
  }
});

t.test('allowPartialTrustChain: an intermediate is enough', async (t) => {
  const ca = (await pki.intermediate()).cert;
  const { client } = await failedHandshake(t, { client: { ca } });
  t.equal(client.code, 'UNABLE_TO_GET_ISSUER_CERT');
  const ends = await connected(t, { client: { ca, allowPartialTrustChain: true } });
  t.equal(ends.client.authorized, true);
});

// --- OCSP --------------------------------------------------------------------------------------

t.test('an OCSP response is stapled for who asks', async (t) => {
  const response = Buffer.from('what an authority would have signed');
  let requests = 0;
  const OCSPCallback: NonNullable<ServerConfigOptions['OCSPCallback']> = async (request) => {
    requests++;
    t.equal(
      new X509Certificate(request.certificate).fingerprint256,
      (await pki.server()).x509.fingerprint256,
    );
    t.same(request.issuer, (await pki.intermediate()).certDer);
    return response;
  };
  for (const maxVersion of bothVersions) {
    const asking = { maxVersion, requestOCSP: true };
    const { client, server } = await connected(t, { server: { OCSPCallback }, client: asking });
    t.same(client.ocspResponse, response, maxVersion);
    t.equal(server.ocspResponse, undefined);
    const silent = await connected(t, { server: { OCSPCallback }, client: { maxVersion } });
    t.equal(silent.client.ocspResponse, undefined);
    const without = await connected(t, { server: { OCSPCallback: () => null }, client: asking });
    t.equal(without.client.ocspResponse, undefined);
  }
  t.equal(requests, 2, 'only clients that asked brought it about');

  const { port } = await tlsServer(t, { OCSPCallback });
  const socket = tls.connect({
    port,
    host: 'localhost',
    requestOCSP: true,
    ca: (await pki.root()).cert,
  } as tls.ConnectionOptions);
  const [seen] = await nextEvent(socket, 'OCSPResponse');
  t.same(seen, response, 'node:tls sees it');
  socket.destroy();
});

t.test('an OCSP callback that fails, fails the handshake', async (t) => {
  const mine = new Error('the responder is down');
  const OCSPCallback = () => Promise.reject(mine);
  const { client, server } = await failedHandshake(t, {
    server: { OCSPCallback },
    client: { requestOCSP: true },
  });
  t.equal(server, mine as never);
  t.match(client, { alert: { code: 80 } });
});

// --- ALPN --------------------------------------------------------------------------------------

t.test('ALPNCallback chooses among what the client offers', async (t) => {
  const offers: unknown[] = [];
  const server: ServerConfigOptions = {
    ALPNCallback: (offer) => {
      offers.push(offer);
      return offer.protocols.at(-1);
    },
  };
  for (const maxVersion of bothVersions) {
    const client = { ALPNProtocols: ['h2', 'http/1.1'], maxVersion };
    const ends = await connected(t, { server, client });
    t.equal(ends.client.alpnProtocol, 'http/1.1');
    t.equal(ends.server.alpnProtocol, 'http/1.1');
    const none = await connected(t, { server, client: { maxVersion } });
    t.equal(none.server.alpnProtocol, false);
  }
  const offer = { servername: 'localhost', protocols: ['h2', 'http/1.1'] };
  t.same(offers, [offer, offer], 'a client without ALPN does not bring it about');
});

t.test('ALPNCallback may refuse', async (t) => {
  const client = { ALPNProtocols: ['h2'] };
  const refused = await failedHandshake(t, { server: { ALPNCallback: () => undefined }, client });
  t.match(refused.server, { code: 'ERR_SSL_NO_APPLICATION_PROTOCOL', alert: { code: 120 } });
  t.match(refused.client, { alert: { code: 120, direction: 'received' } });
  const wrong = await failedHandshake(t, { server: { ALPNCallback: () => 'gopher' }, client });
  t.match(wrong.server, { code: 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT' });
});

// --- key log -----------------------------------------------------------------------------------

t.test('the key log has the secrets of both ends, for who asks', async (t) => {
  for (const maxVersion of bothVersions) {
    const lines: string[] = [];
    const keylog = (line: Buffer): void => void lines.push(line.toString());
    const { client, server } = await connected(t, {
      client: { maxVersion },
      handshake: { keylog },
    });
    t.equal(await sent(client, server, 'hello'), 'hello');
    const label = maxVersion === 'TLSv1.2' ? 'CLIENT_RANDOM' : 'CLIENT_TRAFFIC_SECRET_0';
    const own = lines.filter((line) => line.startsWith(`${label} `));
    t.equal(own.length, 2);
    t.equal(own[0], own[1], 'both ends have the same');
    for (const line of lines) t.match(line, /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+\n$/);
    const { length } = lines;
    await connected(t, { client: { maxVersion } });
    t.equal(lines.length, length);
  }
});
