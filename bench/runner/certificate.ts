import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { workDir } from './paths';
import { PIN, type Pin } from './scenario';

/** Paths of the PEM files that every TLS peer serves. */
export interface CertificateFiles {
  key: string;
  cert: string;
}

const ALGORITHMS = {
  'ECDSA P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'RSA-2048': {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
} satisfies Record<Pin['certificate'], object>;

/** Makes a fresh certificate of that kind for `localhost` and 127.0.0.1, valid for a day. */
export async function makeCertificate(
  kind: Pin['certificate'] = PIN.certificate,
): Promise<CertificateFiles> {
  const algorithm = ALGORITHMS[kind];
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: algorithm,
    notAfter: new Date(Date.now() + 86_400_000),
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  mkdirSync(workDir, { recursive: true });
  const name = kind.replace(' ', '-');
  const files = { key: join(workDir, `${name}.key.pem`), cert: join(workDir, `${name}.pem`) };
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.cert, certificate.toString('pem'));
  return files;
}
