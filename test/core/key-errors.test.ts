/**
 * Keys and certificates that cannot work are refused when the configuration is made, never at the
 * first handshake, and the error says which option is wrong and how.
 */
import {
  ClientConfig,
  ServerConfig,
  type ServerConfigOptions,
  watchCertificates,
} from '@node-aws-lc/core';
import { generateKeyPairSync } from 'node:crypto';
import t, { type Test } from 'tap';
import { inspect } from 'node:util';
import { issue } from '../helpers/certificate.js';
import * as pki from '../helpers/pki.js';
import { type CodedError, thrown } from '../helpers/wait.js';

/** The refusal of `options` with the code named, blamed on `option`. */
function refused(t: Test, options: ServerConfigOptions, code: string, option: string): CodedError {
  const error = thrown(() => new ServerConfig(options));
  t.match(error, { code: `ERR_AWS_LC_CONFIG_${code}`, option }, error.message);
  t.match(error.message, option, 'the message names the option');
  return error;
}

t.test('the key of another certificate', async (t) => {
  const { chain } = await pki.server();
  const sameKind = await pki.selfSigned();
  const otherKind = await pki.serverRsa();
  refused(t, { key: sameKind.key, cert: chain }, 'KEY_MISMATCH', 'key');
  refused(t, { key: otherKind.key, cert: chain }, 'KEY_MISMATCH', 'key');
});

t.test('a key without its certificate and a certificate without its key', async (t) => {
  const { key, chain } = await pki.server();
  refused(t, { key }, 'MISSING', 'cert');
  refused(t, { cert: chain }, 'MISSING', 'key');
});

t.test('a chain that does not begin with the leaf', async (t) => {
  const { key, cert } = await pki.server();
  const chain = (await pki.intermediate()).cert + cert;
  refused(t, { key, cert: chain }, 'KEY_MISMATCH', 'key');
});

t.test('a corrupted PEM', async (t) => {
  const { key, chain } = await pki.server();
  refused(t, { key: reversed(key), cert: chain }, 'KEY', 'key');
  refused(t, { key, cert: reversed(chain) }, 'CERT', 'cert');
  refused(t, { key: key.replace('-----END', '----END'), cert: chain }, 'PEM', 'key');
  refused(t, { key: key.replace(/\n./, '\n!'), cert: chain }, 'PEM', 'key');
  refused(t, { key, cert: chain.slice(0, chain.length / 3) }, 'PEM', 'cert');
});

t.test('trailing garbage in a PEM', async (t) => {
  const { key, chain } = await pki.server();
  const ca = `${(await pki.root()).cert}garbage`;
  refused(t, { key: `${key}garbage`, cert: chain }, 'PEM', 'key');
  refused(t, { key: `${key.trimEnd()}garbage`, cert: chain }, 'PEM', 'key');
  refused(t, { key, cert: `${chain}garbage\n` }, 'PEM', 'cert');
  refused(t, { key, cert: `${chain}-----BEGIN CERTIFICATE-----\nMIIB` }, 'PEM', 'cert');
  refused(t, { key, cert: chain, ca, clientAuth: 'required' }, 'PEM', 'ca');
  t.doesNotThrow(() => new ServerConfig({ key: `${key}\n \r\n\t`, cert: `${chain}\n\n` }));
});

t.test('trailing garbage in a DER', async (t) => {
  const { keyDer, keyTraditionalDer, certDer } = await pki.server();
  const littered = (der: Buffer) => Buffer.concat([der, Buffer.from('garbage')]);
  refused(t, { key: littered(keyDer), cert: certDer }, 'KEY', 'key');
  refused(t, { key: littered(keyTraditionalDer), cert: certDer }, 'KEY', 'key');
  refused(t, { key: keyDer, cert: littered(certDer) }, 'CERT', 'cert');
});

t.test('what is no key or certificate at all', async (t) => {
  const { key, chain } = await pki.server();
  for (const nonsense of ['', 'garbage', Buffer.alloc(0), Buffer.from([0x30, 0x03, 0x02, 0x01])]) {
    refused(t, { key: nonsense, cert: chain }, 'KEY', 'key');
    refused(t, { key, cert: nonsense }, 'CERT', 'cert');
  }
  refused(t, { key: chain, cert: chain }, 'KEY', 'key');
  refused(t, { key, cert: key }, 'CERT', 'cert');
  refused(t, { key: 42 as never, cert: chain }, 'TYPE', 'key');
  refused(t, { key, cert: {} as never }, 'TYPE', 'cert');
  refused(t, { key: [null as never], cert: chain }, 'TYPE', 'key');
});

t.test('a passphrase that is wrong or missing', async (t) => {
  const identity = await pki.server();
  const cert = identity.chain;
  for (const key of [identity.keyEncrypted('right'), identity.keyTraditionalEncrypted('right')]) {
    refused(t, { key, cert }, 'PASSPHRASE', 'passphrase');
    refused(t, { key, cert, passphrase: 'wrong' }, 'PASSPHRASE', 'passphrase');
    refused(t, { key, cert, passphrase: '' }, 'PASSPHRASE', 'passphrase');
  }
  const key = identity.keyEncrypted('right');
  refused(t, { key, cert, passphrase: 42 as never }, 'TYPE', 'passphrase');
});

t.test('an error gives neither the key nor the passphrase away', async (t) => {
  const identity = await pki.server();
  const options = { key: identity.keyEncrypted('right'), cert: identity.chain };
  const error = refused(t, { ...options, passphrase: 'a guess' }, 'PASSPHRASE', 'passphrase');
  t.notMatch(inspect(error, { depth: 9 }), /a guess|BEGIN/);
});

t.test('a file that cannot be read', async (t) => {
  const { key, chain: cert } = await pki.server();
  const folder = t.testdir({ 'key.pem': key });
  const file = `${folder}/missing.pem`;
  const error = refused(t, { keyFile: `${folder}/key.pem`, certFile: file }, 'FILE', 'certFile');
  t.match(error.cause, { code: 'ENOENT' });
  t.match(error.message, file, 'the message names the file');
  refused(t, { key, cert, caFile: file, clientAuth: 'required' }, 'FILE', 'caFile');
  refused(t, { keyFile: folder, cert }, 'FILE', 'keyFile');
});

t.test('contents where a path is expected are refused without being quoted', async (t) => {
  const { key, chain: cert } = await pki.server();
  const error = refused(t, { keyFile: key, cert }, 'TYPE', 'keyFile');
  const watching = thrown(() => watchCertificates({ key, cert }));
  t.match(watching, { code: 'ERR_AWS_LC_CONFIG_TYPE', option: 'key' });
  for (const e of [error, watching]) t.notMatch(inspect(e, { depth: 9 }), key.split('\n')[1]);
});

t.test('a file and its contents at once', async (t) => {
  const { key, chain: cert } = await pki.server();
  refused(t, { key, keyFile: '/dev/null', cert }, 'CONFLICT', 'keyFile');
  refused(t, { key, cert, certFile: '/dev/null' }, 'CONFLICT', 'certFile');
});

t.test('a client refuses the same', async (t) => {
  const client = await pki.client();
  const other = await pki.server();
  const root = await pki.root();
  const refusals: [ConstructorParameters<typeof ClientConfig>[0], string][] = [
    [{ key: other.key, cert: client.cert }, 'KEY_MISMATCH'],
    [{ key: client.key }, 'MISSING'],
    [{ cert: client.cert }, 'MISSING'],
    [{ ca: reversed(root.cert) }, 'CA'],
    [{ ca: `${root.cert}garbage` }, 'PEM'],
    [{ ca: Buffer.concat([root.certDer, Buffer.from('garbage')]) }, 'CA'],
    [{ ca: '' }, 'CA'],
    [{ caFile: '/nonexistent/root.pem' }, 'FILE'],
  ];
  for (const [options, code] of refusals) {
    t.equal(thrown(() => new ClientConfig(options)).code, `ERR_AWS_LC_CONFIG_${code}`);
  }
});

t.test('an RSA key too small for any signature of TLS', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
  const key = privateKey.export({ type: 'pkcs8', format: 'der' });
  refused(t, { key, cert: (await issue({ subject: 'small' })).cert }, 'KEY', 'key');
});

/** The same PEM with its first line of base64 reversed: well-formed text, nonsense inside. */
function reversed(pem: string): string {
  const lines = pem.split('\n');
  lines[1] = [...lines[1]!].reverse().join('');
  return lines.join('\n');
}
