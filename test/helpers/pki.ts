/**
 * The certificates that the tests share, each made once a process and only when first asked for.
 *
 * Two worlds that do not trust each other: `root` signs everything that is right, `otherRoot` is
 * somebody else's authority.
 */
import { type Identity, issue, type IssueOptions, type KeyKind } from './certificate.js';

/** The names that every right server certificate carries. */
export const serverNames = [
  'dns:localhost',
  'dns:example.test',
  'dns:*.wild.example.test',
  'ip:127.0.0.1',
  'ip:::1',
];

const day = 24 * 3_600_000;

/** A root authority. */
export const root = once(() => issue({ subject: 'CN=Test Root,O=node-aws-lc', ca: true }));

/** An authority between {@link root} and the leaves. */
export const intermediate = once(async () =>
  issue({ subject: 'CN=Test Intermediate', ca: true, issuer: await root() }),
);

/** A root that nobody was told to trust. */
export const otherRoot = once(() => issue({ subject: 'CN=Other Root', ca: true }));

/** A server certificate from {@link intermediate}, ECDSA P-256, with {@link serverNames}. */
export const server = once(() => serverOfKind('p256'));

/** As {@link server} with an RSA key of 2048 bits; the slowest to make. */
export const serverRsa = once(() => serverOfKind('rsa'));

/** As {@link server} with a P-384 key. */
export const serverP384 = once(() => serverOfKind('p384'));

/** As {@link server} with an Ed25519 key. */
export const serverEd25519 = once(() => serverOfKind('ed25519'));

/** A certificate for localhost that signs itself. */
export const selfSigned = once(() => issue({ subject: 'localhost', names: ['dns:localhost'] }));

/** A server certificate for localhost from {@link otherRoot}. */
export const untrustedServer = once(async () =>
  issue({ subject: 'localhost', names: serverNames, issuer: await otherRoot() }),
);

/** A server certificate whose validity ended yesterday. */
export const expiredServer = once(() =>
  variant({ notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) }),
);

/** A server certificate whose validity begins tomorrow. */
export const futureServer = once(() =>
  variant({ notBefore: new Date(Date.now() + day), notAfter: new Date(Date.now() + 2 * day) }),
);

/** A certificate for localhost that may only sign code. */
export const wrongPurposeServer = once(() => variant({ purposes: ['codeSigning'] }));

/** A certificate that names `cn.example.test` as its common name and has no alternative names. */
export const commonNameServer = once(async () =>
  issue({ subject: 'cn.example.test', issuer: await root(), purposes: ['serverAuth'] }),
);

/** A certificate from {@link root} with the alternative names given and nothing else. */
export async function serverFor(names: string[], subject = 'named server'): Promise<Identity> {
  return issue({ subject, names, issuer: await root(), purposes: ['serverAuth'] });
}

/** The authority over clients' certificates. */
export const clientRoot = once(() => issue({ subject: 'CN=Client Root', ca: true }));

/** A client certificate from {@link clientRoot}. */
export const client = once(async () =>
  issue({
    subject: 'CN=Test Client,O=node-aws-lc',
    names: ['email:client@example.test'],
    issuer: await clientRoot(),
    purposes: ['clientAuth'],
  }),
);

/** A client certificate from a root that the server was not told to trust. */
export const untrustedClient = once(async () =>
  issue({ subject: 'Stranger', issuer: await otherRoot(), purposes: ['clientAuth'] }),
);

/** A client certificate from {@link clientRoot} that is no longer valid. */
export const expiredClient = once(async () =>
  issue({
    subject: 'Late Client',
    issuer: await clientRoot(),
    purposes: ['clientAuth'],
    notBefore: new Date(Date.now() - 2 * day),
    notAfter: new Date(Date.now() - day),
  }),
);

async function serverOfKind(kind: KeyKind): Promise<Identity> {
  return issue({
    subject: 'CN=localhost,O=node-aws-lc',
    kind,
    names: serverNames,
    issuer: await intermediate(),
    purposes: ['serverAuth'],
  });
}

async function variant(options: Partial<IssueOptions>): Promise<Identity> {
  return issue({ subject: 'localhost', names: serverNames, issuer: await root(), ...options });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
