import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { TrustStore } from '@node-aws-lc/native';
import { isPem } from '../config/pem';

/** Where distributions keep their bundle: Debian, Red Hat, SUSE, Alpine, OpenELEC. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/etc/pki/tls/cacert.pem',
];

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----([^-]+)-----END/g;

// Bundles are other people's files, with comments and the odd broken entry: one bad certificate must not cost the rest.
export function parseBundle(contents: Buffer): Buffer[] {
  if (!isPem(contents)) return contents[0] === 0x30 ? [contents] : [];
  return [...contents.toString('latin1').matchAll(CERTIFICATE)].map((match) =>
    Buffer.from(match[1] as string, 'base64'),
  );
}

function readBundle(path: string): Buffer[] {
  try {
    return parseBundle(readFileSync(path));
  } catch {
    return [];
  }
}

// Whoever names a file means it: without a word the first connection would fail, far from here.
function readNamedBundle(variable: string, path: string): Buffer[] {
  const certificates = readBundle(path);
  if (certificates.length === 0) {
    process.emitWarning(`${variable}=${path}: no certificate can be read from it`, {
      code: 'AWS_LC_TRUST',
    });
  }
  return certificates;
}

function readFolder(path: string): Buffer[] {
  try {
    return readdirSync(path).flatMap((name) => readBundle(join(path, name)));
  } catch {
    return [];
  }
}

function fromEnvironment(): Buffer[] {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = process.env;
  return [
    ...(file ? readNamedBundle('SSL_CERT_FILE', file) : []),
    ...(folders ? folders.split(':').flatMap((folder) => readFolder(folder)) : []),
  ];
}

/** The certificates of the system's bundle, DER. */
export function systemCertificates(): Buffer[] {
  for (const bundle of SYSTEM_BUNDLES) {
    const certificates = readBundle(bundle);
    if (certificates.length > 0) return certificates;
  }
  return [];
}

/** The certificates of `NODE_EXTRA_CA_CERTS`, DER. */
export function extraCertificates(): Buffer[] {
  const { NODE_EXTRA_CA_CERTS: extra } = process.env;
  return extra ? readNamedBundle('NODE_EXTRA_CA_CERTS', extra) : [];
}

/** The certificates that {@link defaultTrust} is made of, DER. */
export function trustedCertificates(): Buffer[] {
  if (replaced !== undefined) return replaced;
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = process.env;
  // Whoever names a bundle means that one: falling back to the system's would trust more than was asked for.
  let certificates = file || folders ? fromEnvironment() : systemCertificates();
  if (certificates.length === 0 && !file && !folders) {
    certificates = rootCertificates.flatMap((pem) => parseBundle(Buffer.from(pem)));
  }
  return [...certificates, ...extraCertificates()];
}

let store: TrustStore | undefined;
let replaced: Buffer[] | undefined;

/** Has {@link defaultTrust} be these certificates and no others, DER, for the configurations to come. */
export function replaceDefaultTrust(certificates: Buffer[]): void {
  replaced = certificates;
  store = undefined;
}

/**
 * The roots that peers are verified against where no `ca` is given: `SSL_CERT_FILE` and `SSL_CERT_DIR` if set, else
 * the system's bundle, else Node's own; `NODE_EXTRA_CA_CERTS` comes on top. Read once a process, at the first use.
 */
export function defaultTrust(): TrustStore {
  return (store ??= new TrustStore({
    certificates: trustedCertificates(),
    ignoreUnparsable: true,
  }));
}
