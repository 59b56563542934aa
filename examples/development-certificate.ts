/**
 * A certificate for `localhost`, for the examples and `npm start`: made once, kept in
 * `examples/.certificate/` (ignored by git) and reused while it is valid.
 *
 * An authority of its own signs it, so that a client can be told to trust that authority, and the
 * authority's key is thrown away at once: nobody can make a second certificate that such a client
 * would accept.
 */
import 'reflect-metadata';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const folder = join(__dirname, '..', '.certificate');
const day = 86_400_000;

/** The development certificate as PEM, and where its files are. */
export interface DevelopmentCertificate {
  key: string;
  cert: string;
  /** The authority that a client has to trust. */
  ca: string;
  files: { key: string; cert: string; ca: string };
  validTo: Date;
  /** False when it was made just now. */
  reused: boolean;
}

/** The certificate of an earlier run when that is valid for another day, else a new one. */
export async function developmentCertificate(): Promise<DevelopmentCertificate> {
  const kept = read(true);
  if (kept && kept.validTo.getTime() > Date.now() + day) return kept;
  if (kept) rmSync(folder, { recursive: true });
  await make();
  const made = read(false);
  if (!made) throw new Error(`${folder} holds no usable certificate: delete it and try again`);
  return made;
}

function read(reused: boolean): DevelopmentCertificate | undefined {
  const files = {
    key: join(folder, 'key.pem'),
    cert: join(folder, 'cert.pem'),
    ca: join(folder, 'ca.pem'),
  };
  if (!Object.values(files).every((file) => existsSync(file))) return undefined;
  const [key, cert, ca] = [files.key, files.cert, files.ca].map((file) =>
    readFileSync(file, 'utf8'),
  ) as [string, string, string];
  return { key, cert, ca, files, validTo: new Date(new X509Certificate(cert).validTo), reused };
}

async function make(): Promise<void> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const caKeys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const validity = {
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 30 * day),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=node-aws-lc development authority',
    keys: caKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: 'CN=localhost',
    issuer: ca.subjectName,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  keep({ 'ca.pem': ca.toString('pem'), 'cert.pem': leaf.toString('pem'), 'key.pem': key });
}

/** All files at once, by renaming their folder: another process never sees half of a pair. */
function keep(files: Record<string, string | Buffer>): void {
  const draft = mkdtempSync(`${folder}-`);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(draft, name), content, { mode: name === 'key.pem' ? 0o600 : 0o644 });
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another process was faster; its certificate is as good.
    if (!existsSync(folder)) throw error;
  }
}
