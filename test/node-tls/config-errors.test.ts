/** What a configuration refuses, put to node:tls too: the same code, and OpenSSL's reason among the words. */
import { createSecureContext } from '@node-aws-lc/core';
import nodeTls from 'node:tls';
import t from 'tap';
import type { Identity } from '../helpers/certificate.js';
import { run } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';
import { thrown } from '../helpers/wait.js';

interface OpensslError extends Error {
  code?: string;
  reason?: string;
  library?: string;
}

/** What OpenSSL says without the number in front, which is not for anybody to match on. */
function saidBy({ message, code, reason, library }: OpensslError) {
  const words = message.replace(/^error:[0-9A-F]*:[^:]*::/, '').split('\n')[0]!;
  return { words, code, reason, library };
}

function refused(options: object): ReturnType<typeof saidBy> {
  return saidBy(thrown(() => createSecureContext(options)));
}

function refusedByNode(options: object): ReturnType<typeof saidBy> {
  return saidBy(thrown(() => nodeTls.createSecureContext(options)));
}

/** Spoils what is in the first line of a PEM block. */
function spoilt(pem: string): string {
  const lines = pem.split('\n');
  lines[1] = [...lines[1]!].reverse().join('');
  return lines.join('\n');
}

const notBase64 = (pem: string): string => pem.replace(/\n(?=\w)/, '\n!!!!');

/** Options that both refuse with the same code and reason. */
function same(own: Identity, other: Identity): Record<string, object> {
  const { key, cert } = own;
  const encrypted = own.keyEncrypted('secret');
  return {
    'a key that is none': { key: 'nothing', cert },
    'a key that is a certificate': { key: cert, cert },
    'a key cut short': { key: key.slice(0, 100), cert },
    'a key that is not base64': { key: notBase64(key), cert },
    'a damaged key': { key: spoilt(key), cert },
    'a certificate that is none': { key, cert: 'nothing' },
    'a certificate that is a key': { key, cert: key },
    'a certificate cut short': { key, cert: cert.slice(0, 200) },
    'a certificate that is not base64': { key, cert: notBase64(cert) },
    'a key of another certificate': { key: other.key, cert },
    'an encrypted key without a passphrase': { key: encrypted, cert },
    'an encrypted key with the wrong passphrase': { key: encrypted, cert, passphrase: 'wrong' },
    'a traditionally encrypted key with the wrong passphrase': {
      key: own.keyTraditionalEncrypted('secret'),
      cert,
      passphrase: 'wrong',
    },
    'a wrong passphrase beside its key': { key: [{ pem: encrypted, passphrase: 'wrong' }], cert },
    'suites that are none': { ciphers: 'NOTHING' },
    'no suites at all': { ciphers: '!ALL' },
    'curves that are none': { ecdhCurve: 'nothing' },
    'a revocation list that is none': { crl: 'nothing' },
    'a revocation list that is a certificate': { crl: cert },
    'a PKCS #12 file that is none': { pfx: Buffer.from('nothing') },
    'a PKCS #12 file that is empty': { pfx: Buffer.alloc(0) },
  };
}

t.test('the code and the reason are node:tls’s', async (t) => {
  const own = await pki.selfSigned();
  for (const [what, options] of Object.entries(same(own, await pki.server()))) {
    t.test(what, (t) => {
      const theirs = refusedByNode(options);
      const ours = refused(options);
      // Node has no code for everything it refuses.
      t.equal(ours.code, theirs.code ?? 'ERR_AWS_LC_CONFIG_PFX');
      t.ok(ours.words.startsWith(`${theirs.words}: `), `${ours.words} | ${theirs.words}`);
      t.same([ours.reason, ours.library], [theirs.reason, theirs.library]);
      t.end();
    });
  }
});

t.test('a certificate that cannot be parsed has a code of the same part of OpenSSL', async (t) => {
  const { key, cert } = await pki.selfSigned();
  const options = { key, cert: cert + spoilt(cert) };
  for (const { code, library } of [refused(options), refusedByNode(options)]) {
    t.match(code, /^ERR_OSSL_ASN1_/);
    t.equal(library, 'asn1 encoding routines');
  }
  t.end();
});

const skip = missing('openssl', 'openssl');

t.test('a PKCS #12 file that cannot be opened or holds no key', { skip }, async (t) => {
  const own = await pki.selfSigned();
  const pem = { 'key.pem': own.key, 'cert.pem': own.cert };
  const folder = t.testdir(pem);
  const make = async (...args: string[]): Promise<Buffer> => {
    const export_ = ['pkcs12', '-export', '-passout', 'pass:secret', '-in', `${folder}/cert.pem`];
    const base64 = ['sh', '-c', `openssl "$@" | base64`, 'sh', ...export_, ...args];
    const { stdout } = await run(t, base64[0]!, base64.slice(1));
    return Buffer.from(stdout, 'base64');
  };
  const pfx = await make('-inkey', `${folder}/key.pem`);
  for (const options of [{ pfx }, { pfx, passphrase: 'wrong' }]) {
    const theirs = refusedByNode(options);
    const ours = refused(options);
    t.match(theirs, { words: 'mac verify failure', code: undefined });
    t.match(ours, { words: /^mac verify failure: /, code: 'ERR_AWS_LC_CONFIG_PASSPHRASE' });
  }
  const keyless = { pfx: await make('-nokeys'), passphrase: 'secret' };
  const theirs = refusedByNode(keyless);
  const ours = refused(keyless);
  t.equal(ours.code, theirs.code);
  t.ok(ours.words.startsWith(theirs.words), ours.words);
});

t.test('what our configuration said is kept', async (t) => {
  const { key } = await pki.selfSigned();
  const { cert } = await pki.server();
  t.match(
    thrown(() => createSecureContext({ key, cert })),
    { cause: { name: 'ConfigError', code: 'ERR_AWS_LC_CONFIG_KEY_MISMATCH', option: 'key' } },
  );
});

t.test('a byte order mark in front of PEM is no harm, as in node:tls', async (t) => {
  const { key, cert } = await pki.selfSigned();
  for (const mark of ['\ufeff', '']) {
    const options = { key: Buffer.from(mark + key), cert: mark + cert, ca: mark + cert };
    t.ok(createSecureContext(options));
    t.ok(nodeTls.createSecureContext(options));
  }
});
