/**
 * Certificates made while the tests run.
 *
 * Nothing here is read from disk and nothing expires in the repository: each test process makes
 * the keys that it asks for. `@peculiar/x509` writes the certificates, Node's own crypto makes the
 * keys and every form in which a key can be handed over.
 */
import 'reflect-metadata';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** The kinds of key that a test certificate can have. */
export type KeyKind = 'p256' | 'p384' | 'rsa' | 'ed25519';

/** What a certificate is to say. */
export interface IssueOptions {
  /** The subject: a common name alone, or a whole name when it holds a `=`. */
  subject: string;
  /** The key's kind; default `'p256'`, the cheapest to make. */
  kind?: KeyKind;
  /** Who signs; absent: the certificate signs itself. */
  issuer?: Identity;
  /** A certificate authority; default false. */
  ca?: boolean;
  /** Whether to say what the key may be used for (RFC 5280, 4.2.1.3); default true. */
  keyUsage?: boolean;
  /** Subject alternative names, as `'dns:localhost'`, `'ip:127.0.0.1'`, `'email:…'`, `'url:…'`. */
  names?: string[];
  /** Extended key usages; none by default. */
  purposes?: ('serverAuth' | 'clientAuth' | 'codeSigning')[];
  /** Start of validity; default an hour ago. */
  notBefore?: Date;
  /** End of validity; default a day from now. */
  notAfter?: Date;
}

const hour = 3_600_000;

const keyAlgorithms = {
  p256: { name: 'ECDSA', namedCurve: 'P-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: 'SHA-256',
  },
  ed25519: { name: 'Ed25519' },
} as const;

const signatureAlgorithms = {
  p256: { name: 'ECDSA', hash: 'SHA-256' },
  p384: { name: 'ECDSA', hash: 'SHA-384' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ed25519: { name: 'Ed25519' },
} as const;

const purposeOids = {
  serverAuth: x509.ExtendedKeyUsage.serverAuth,
  clientAuth: x509.ExtendedKeyUsage.clientAuth,
  codeSigning: x509.ExtendedKeyUsage.codeSigning,
} as const;

/** A certificate with its private key, in every form in which users hand them over. */
export class Identity {
  /** The certificate as DER. */
  readonly certDer: Buffer;
  /** The certificate, parsed by Node. */
  readonly x509: X509Certificate;
  /** The private key, as Node holds it. */
  readonly privateKey: KeyObject;

  constructor(
    readonly kind: KeyKind,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly certificate: x509.X509Certificate,
    /** Who signed, or undefined for a self-signed certificate. */
    readonly issuer: Identity | undefined,
  ) {
    this.certDer = Buffer.from(certificate.rawData);
    this.x509 = new X509Certificate(this.certDer);
    this.privateKey = KeyObject.from(keys.privateKey);
  }

  /** The certificate as PEM. */
  get cert(): string {
    return this.x509.toString();
  }

  /** The certificate and its intermediates as PEM, leaf first, without the root. */
  get chain(): string {
    return this.chainDer.map((der) => new X509Certificate(der).toString()).join('');
  }

  /** The certificate and its intermediates as DER, leaf first, without the root. */
  get chainDer(): Buffer[] {
    const chain = [this.certDer];
    for (let next = this.issuer; next?.issuer !== undefined; next = next.issuer) {
      chain.push(next.certDer);
    }
    return chain;
  }

  /** The private key as PKCS#8 PEM. */
  get key(): string {
    return this.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  /** The private key as PKCS#8 DER. */
  get keyDer(): Buffer {
    return this.privateKey.export({ type: 'pkcs8', format: 'der' });
  }

  /** The key as its algorithm's traditional PEM form: PKCS#1 for RSA, SEC1 for elliptic curves. */
  get keyTraditional(): string {
    return this.privateKey.export({ type: this.traditionalType, format: 'pem' }) as string;
  }

  /** The key as its algorithm's traditional DER form: PKCS#1 for RSA, SEC1 for elliptic curves. */
  get keyTraditionalDer(): Buffer {
    return this.privateKey.export({ type: this.traditionalType, format: 'der' });
  }

  /** The key as PKCS#8 PEM, encrypted with a passphrase. */
  keyEncrypted(passphrase: string): string {
    const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
    return this.privateKey.export(options) as string;
  }

  /** The key as traditional PEM with OpenSSL's own encryption header (`Proc-Type: 4,ENCRYPTED`). */
  keyTraditionalEncrypted(passphrase: string): string {
    return this.privateKey.export({
      type: this.traditionalType,
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    }) as string;
  }

  /** What the certificate library needs to sign another certificate with this key. */
  get signer() {
    return {
      name: this.certificate.subjectName,
      signingKey: this.keys.privateKey,
      publicKey: this.keys.publicKey,
      algorithm: signatureAlgorithms[this.kind],
    };
  }

  private get traditionalType(): 'pkcs1' | 'sec1' {
    return this.kind === 'rsa' ? 'pkcs1' : 'sec1';
  }
}

/** Makes a key and a certificate for it. */
export async function issue(options: IssueOptions): Promise<Identity> {
  const kind = options.kind ?? 'p256';
  const keys = await makeKeys(kind);
  const issuer = options.issuer?.signer;
  const subject = options.subject.includes('=') ? options.subject : `CN=${options.subject}`;
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer?.name ?? subject,
    publicKey: keys.publicKey,
    signingKey: issuer?.signingKey ?? keys.privateKey,
    signingAlgorithm: issuer?.algorithm ?? signatureAlgorithms[kind],
    serialNumber: serialNumber(),
    notBefore: options.notBefore ?? new Date(Date.now() - hour),
    notAfter: options.notAfter ?? new Date(Date.now() + 24 * hour),
    extensions: await extensions(options, keys.publicKey, issuer?.publicKey),
  });
  return new Identity(kind, keys, certificate, options.issuer);
}

async function makeKeys(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithms[kind], true, ['sign', 'verify']);
  return keys as webcrypto.CryptoKeyPair;
}

async function extensions(
  options: IssueOptions,
  subjectKey: webcrypto.CryptoKey,
  issuerKey: webcrypto.CryptoKey | undefined,
): Promise<x509.Extension[]> {
  const ca = options.ca ?? false;
  const usages = ca
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment;
  const list: x509.Extension[] = [
    new x509.BasicConstraintsExtension(ca, undefined, true),
    await x509.SubjectKeyIdentifierExtension.create(subjectKey),
  ];
  if (options.keyUsage ?? true) list.push(new x509.KeyUsagesExtension(usages, true));
  if (issuerKey) list.push(await x509.AuthorityKeyIdentifierExtension.create(issuerKey));
  if (options.names) list.push(new x509.SubjectAlternativeNameExtension(generalNames(options)));
  if (options.purposes) {
    list.push(new x509.ExtendedKeyUsageExtension(options.purposes.map((p) => purposeOids[p])));
  }
  return list;
}

function generalNames(options: IssueOptions): x509.JsonGeneralNames {
  return (options.names ?? []).map((name) => {
    const colon = name.indexOf(':');
    return { type: name.slice(0, colon) as x509.GeneralNameType, value: name.slice(colon + 1) };
  });
}

/** A positive serial number of 16 bytes, in hexadecimal. */
function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}
