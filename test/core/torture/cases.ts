/** Certificates as they should not be, each with what makes it wrong, and a few that are right and look odd. */
import type { Identity } from '../../helpers/certificate.js';
import {
  der,
  ExtendedKeyUsage,
  extension,
  forge,
  type ForgeOptions,
  KeyUsageFlags,
  names,
} from '../../helpers/forge.js';
import { revocationList } from '../../helpers/revocation-list.js';

/** What one end shows, and what the other judges it by. */
export interface Presented {
  identity: Identity;
  /** PEM, leaf first; the whole chain without the root where it is left out. */
  chain?: string;
  ca: string;
  crl?: string;
  /** The name asked for; default `localhost`. */
  host?: string;
}

export interface Case {
  make: (purpose: string) => Promise<Presented>;
  /** Only names are at fault, which a server does not look at. */
  nameOnly?: boolean;
  /** Where we refuse what node:tls lets pass, or say another code: why. */
  stricter?: string;
}

const day = 24 * 3_600_000;
const ANY_PURPOSE = '2.5.29.37.0';
const localhost = names({ dns: 'localhost' });
const serverAuth: string = ExtendedKeyUsage.serverAuth;
const otherPurpose = (purpose: string): string =>
  purpose === serverAuth ? ExtendedKeyUsage.codeSigning : ExtendedKeyUsage.serverAuth;

let rootMade: Promise<Identity> | undefined;
const root = (): Promise<Identity> =>
  (rootMade ??= forge({ subject: 'CN=Torture Root', ca: true }));

async function fromRoot(options: ForgeOptions): Promise<Presented> {
  const issuer = options.issuer ?? (await root());
  return {
    identity: await forge({ issuer, extensions: [localhost], ...options }),
    ca: (await root()).cert,
  };
}

const leaf =
  (options: (purpose: string) => ForgeOptions) =>
  (purpose: string): Promise<Presented> =>
    fromRoot({ purposes: [purpose], ...options(purpose) });

const named = (
  extensions: ForgeOptions['extensions'],
  host?: string,
  subject = 'CN=localhost',
): Case => ({
  make: async (purpose) => ({
    ...(await fromRoot({ purposes: [purpose], subject, extensions })),
    host,
  }),
  nameOnly: true,
});

/** A chain root, intermediate, leaf, the intermediate and the leaf made as told. */
async function chained(
  purpose: string,
  between: ForgeOptions,
  end: ForgeOptions = {},
): Promise<Presented> {
  const issuer = await forge({
    subject: 'CN=Torture Intermediate',
    issuer: await root(),
    ca: true,
    ...between,
  });
  return fromRoot({ issuer, purposes: [purpose], ...end });
}

/** RFC 5280, section 4.2.1.10: the general names of a tree, in DER. */
const constraints = (kind: 0xa0 | 0xa1, tree: Buffer) =>
  extension('2.5.29.30', der(0x30, der(kind, der(0x30, tree))), true);

/** DNS names within a tree. */
const permitted = (tree: string) => constraints(0xa0, der(0x82, tree));

const weakKey =
  'no public authority has issued such keys since 2014, and later versions of Node refuse them, too';

export const cases: Record<string, Case> = {
  'a good certificate': { make: leaf(() => ({})) },
  'a good chain': { make: (purpose) => chained(purpose, {}) },
  expired: {
    make: leaf(() => ({
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    })),
  },
  'not yet valid': {
    make: leaf(() => ({
      notBefore: new Date(Date.now() + day),
      notAfter: new Date(Date.now() + 2 * day),
    })),
  },
  'expired intermediate': {
    make: (purpose) =>
      chained(purpose, {
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day),
      }),
  },
  'wrong purpose (EKU)': { make: leaf((purpose) => ({ purposes: [otherPurpose(purpose)] })) },
  'wrong purpose of the intermediate (EKU)': {
    make: (purpose) => chained(purpose, { purposes: [otherPurpose(purpose)] }),
  },
  'any purpose (EKU)': { make: leaf(() => ({ purposes: [ANY_PURPOSE] })) },
  'wrong purpose (key usage)': { make: leaf(() => ({ usages: KeyUsageFlags.cRLSign })) },
  'authority that may not sign certificates (key usage)': {
    make: (purpose) => chained(purpose, { usages: KeyUsageFlags.cRLSign }),
  },
  'authority as a server': { make: leaf(() => ({ ca: true })) },
  'wrong name': named([names({ dns: 'elsewhere.test' })]),
  'outside of the name constraints': {
    make: (purpose) => chained(purpose, { extensions: [permitted('permitted.test')] }),
  },
  'inside of the name constraints': {
    make: (purpose) => chained(purpose, { extensions: [permitted('localhost')] }),
  },
  'excluded by the name constraints': {
    make: (purpose) =>
      chained(purpose, { extensions: [constraints(0xa1, der(0x82, 'localhost'))] }),
  },
  'address outside of the name constraints': {
    make: (purpose) => {
      const tree = der(0x87, Buffer.from([10, 0, 0, 0, 255, 0, 0, 0]));
      const both = names({ dns: 'localhost' }, { ip: [127, 0, 0, 1] });
      return chained(purpose, { extensions: [constraints(0xa0, tree)] }, { extensions: [both] });
    },
  },
  'common name outside of the name constraints': {
    make: async (purpose) => ({
      ...(await chained(
        purpose,
        { extensions: [permitted('permitted.test')] },
        { subject: 'CN=elsewhere.test', extensions: [] },
      )),
      host: 'elsewhere.test',
    }),
  },
  'path length exceeded': {
    make: async (purpose) => {
      const first = await forge({
        subject: 'CN=Torture First',
        issuer: await root(),
        ca: { pathLength: 0 },
      });
      const second = await forge({ subject: 'CN=Torture Second', issuer: first, ca: true });
      return fromRoot({ issuer: second, purposes: [purpose] });
    },
  },
  'issued by a certificate that is no authority': {
    make: (purpose) => chained(purpose, { ca: false }),
  },
  'issued by a certificate that is no authority, and says that it may sign': {
    make: (purpose) => chained(purpose, { ca: false, usages: KeyUsageFlags.keyCertSign }),
  },
  revoked: {
    make: async (purpose) => {
      const presented = await fromRoot({ purposes: [purpose] });
      return { ...presented, crl: await revocationList(await root(), [presented.identity]) };
    },
  },
  'revoked intermediate': {
    make: async (purpose) => {
      const presented = await chained(purpose, {});
      const intermediate = presented.identity.issuer!;
      const lists = [revocationList(await root(), [intermediate]), revocationList(intermediate)];
      return { ...presented, crl: (await Promise.all(lists)).join('') };
    },
  },
  'revocation list of somebody else': {
    make: async (purpose) => {
      const impostor = await forge({ subject: 'CN=Torture Root', ca: true });
      return { ...(await fromRoot({ purposes: [purpose] })), crl: await revocationList(impostor) };
    },
  },
  'no revocation list': {
    make: async (purpose) => {
      const presented = await chained(purpose, {});
      return { ...presented, crl: await revocationList(await root()) };
    },
  },
  'self-signed leaf': {
    make: async (purpose) => ({
      identity: await forge({ extensions: [localhost], purposes: [purpose] }),
      ca: (await root()).cert,
    }),
  },
  'self-signed leaf that is trusted': {
    make: async (purpose) => {
      const identity = await forge({ extensions: [localhost], purposes: [purpose] });
      return { identity, ca: identity.cert };
    },
  },
  'self-signed chain': {
    make: async (purpose) => {
      const stranger = await forge({ subject: 'CN=Stranger', ca: true });
      const presented = await fromRoot({ issuer: stranger, purposes: [purpose] });
      return { ...presented, chain: presented.identity.cert + stranger.cert };
    },
  },
  'authority with the name of the root': {
    make: async (purpose) => {
      const impostor = await forge({ subject: 'CN=Torture Root', ca: true });
      return fromRoot({ issuer: impostor, purposes: [purpose] });
    },
  },
  'expired root': {
    make: async (purpose) => {
      const late = await forge({
        subject: 'CN=Late Root',
        ca: true,
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day),
      });
      return { ...(await fromRoot({ issuer: late, purposes: [purpose] })), ca: late.cert };
    },
  },
  'chain in another order, with a stranger': {
    make: async (purpose) => {
      const second = await forge({ subject: 'CN=Torture First', issuer: await root(), ca: true });
      const third = await forge({ subject: 'CN=Torture Second', issuer: second, ca: true });
      const presented = await fromRoot({ issuer: third, purposes: [purpose] });
      const stranger = await forge({ subject: 'CN=Stranger', ca: true });
      const chain = [presented.identity, stranger, second, third].map(({ cert }) => cert);
      return { ...presented, chain: chain.join('') };
    },
  },
  'missing intermediate': {
    make: async (purpose) => {
      const presented = await chained(purpose, {});
      return { ...presented, chain: presented.identity.cert };
    },
  },
  'unknown critical extension': {
    make: leaf(() => ({ extensions: [localhost, extension('1.2.3.4.5', der(0x05), true)] })),
  },
  'unknown extension that is not critical': {
    make: leaf(() => ({ extensions: [localhost, extension('1.2.3.4.5', der(0x05))] })),
  },
  'signed with SHA-1': { make: leaf(() => ({ hash: 'SHA-1' })) },
  'intermediate signed with SHA-1': { make: (purpose) => chained(purpose, { hash: 'SHA-1' }) },
  'RSA key of 1024 bits': { make: leaf(() => ({ key: 'rsa1024' })), stricter: weakKey },
  'intermediate with an RSA key of 1024 bits': {
    make: (purpose) => chained(purpose, { key: 'rsa1024' }),
    stricter: weakKey,
  },
  'NUL in the name': named([names({ dns: 'localhost\0.evil.test' })]),
  'NUL in the common name, no alternative name': named([], undefined, 'CN=localhost\0.evil.test'),
  wildcard: named([names({ dns: '*.wild.test' })], 'a.wild.test'),
  'wildcard over two labels': named([names({ dns: '*.wild.test' })], 'a.b.wild.test'),
  'wildcard for the name itself': named([names({ dns: '*.wild.test' })], 'wild.test'),
  'wildcard in the second label': named([names({ dns: 'a.*.test' })], 'a.b.test'),
  'two wildcards': named([names({ dns: '*.*.test' })], 'a.b.test'),
  'wildcard in an internationalized label': named([names({ dns: 'xn--*.test' })], 'xn--a.test'),
  'wildcard alone': named([names({ dns: '*' })]),
  'wildcard over a top-level domain': named([names({ dns: '*.test' })], 'wild.test'),
  'wildcard within a label': named([names({ dns: 'a*c.wild.test' })], 'abc.wild.test'),
  'upper case': named([names({ dns: 'LOCALHOST' })]),
  'dot at the end': named([names({ dns: 'localhost.' })]),
  'name of an address, the address asked for': named([localhost], '127.0.0.1'),
  'common name only': named([]),
  'common name right, alternative name wrong': named([names({ dns: 'elsewhere.test' })]),
  'IP address': named([names({ ip: [127, 0, 0, 1] })], '127.0.0.1'),
  'IP address as a DNS name': named([names({ dns: '127.0.0.1' })], '127.0.0.1'),
  'IP address of another host': named([names({ ip: [127, 0, 0, 2] })], '127.0.0.1'),
  'IDN, as it is sent': named([names({ dns: 'xn--bcher-kva.test' })], 'xn--bcher-kva.test'),
  'duplicate extension': {
    make: leaf(() => ({ extensions: [localhost, localhost] })),
    stricter: 'it is malformed, which comes before the question of who issued it',
  },
  'negative serial number': { make: leaf(() => ({ serialNumber: 'ff01' })) },
  'serial number zero': { make: leaf(() => ({ serialNumber: '00' })) },
};
