/** Certificates that no authority should issue: every part can be chosen, byte by byte where it must be. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { Identity } from './certificate.js';

const hour = 3_600_000;
const { subtle } = webcrypto;

/** Extended key usages (RFC 5280, section 4.2.1.12). */
export const { ExtendedKeyUsage, KeyUsageFlags } = x509;

/** One TLV of DER (X.690). */
export function der(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));
  const { length } = body;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

/** An extension of the bytes given. */
export function extension(oid: string, value: Buffer, critical = false): x509.Extension {
  return new x509.Extension(oid, critical, value);
}

/** Subject alternative names as they are, whatever they hold. */
export function names(...list: ({ dns: string } | { ip: number[] })[]): x509.Extension {
  const encoded = list.map((name) =>
    'dns' in name ? der(0x82, name.dns) : der(0x87, Buffer.from(name.ip)),
  );
  return extension('2.5.29.17', der(0x30, ...encoded));
}

/** What a forged certificate is to say; what is left out is right. */
export interface ForgeOptions {
  subject?: string;
  issuer?: Identity;
  extensions?: x509.Extension[];
  ca?: boolean | { pathLength: number };
  /** What the key may be used for (RFC 5280, section 4.2.1.3). */
  usages?: x509.KeyUsageFlags;
  purposes?: string[];
  key?: 'p256' | 'rsa1024' | 'rsa2048';
  hash?: 'SHA-1' | 'SHA-256';
  serialNumber?: string;
  notBefore?: Date;
  notAfter?: Date;
}

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
const rsa = { name: 'RSASSA-PKCS1-v1_5', publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' };

function algorithmOf(
  key: ForgeOptions['key'],
): typeof ecdsa | (typeof rsa & { modulusLength: number }) {
  if (key === 'rsa1024') return { ...rsa, modulusLength: 1024 };
  return key === 'rsa2048' ? { ...rsa, modulusLength: 2048 } : ecdsa;
}

/** Makes a key and a certificate for it. */
export async function forge(options: ForgeOptions): Promise<Identity> {
  const { key = 'p256', issuer, ca = false, hash = 'SHA-256' } = options;
  const keys = await subtle.generateKey(algorithmOf(key), true, ['sign', 'verify']);
  const signer = issuer?.signer;
  const signingKey = signer?.signingKey ?? keys.privateKey;
  const subject = options.subject ?? 'CN=localhost';
  const ordinary = ca
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment;
  const list: x509.Extension[] = [
    new x509.BasicConstraintsExtension(
      ca !== false,
      typeof ca === 'object' ? ca.pathLength : undefined,
      true,
    ),
    new x509.KeyUsagesExtension(options.usages ?? ordinary, true),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ...(options.extensions ?? []),
  ];
  if (signer) list.push(await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey));
  if (options.purposes) list.push(new x509.ExtendedKeyUsageExtension(options.purposes));
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: signer?.name ?? subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: { name: signingKey.algorithm.name, hash },
    serialNumber: options.serialNumber ?? '4d2f00000000000000000000000001',
    notBefore: options.notBefore ?? new Date(Date.now() - hour),
    notAfter: options.notAfter ?? new Date(Date.now() + 24 * hour),
    extensions: list,
  });
  return new Identity(key === 'p256' ? 'p256' : 'rsa', keys, certificate, issuer);
}
