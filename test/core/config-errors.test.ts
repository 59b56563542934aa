/** Options that cannot work are refused at once, with a code to match on and the option's name. */
import {
  ClientConfig,
  type ClientConfigOptions,
  ServerConfig,
  ServerNames,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
} from '@node-aws-lc/core';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { thrown } from '../helpers/wait.js';

/** Both sides refuse `options` with the code named and mention `what`. */
async function refused(
  t: Test,
  options: ClientConfigOptions,
  code: string,
  what: string,
): Promise<void> {
  const clientError = thrown(() => new ClientConfig(options));
  t.equal(clientError.code, `ERR_AWS_LC_CONFIG_${code}`, clientError.message);
  t.match(clientError.message, what);
  await serverRefused(t, options, code, what);
}

async function serverRefused(
  t: Test,
  options: ServerConfigOptions,
  code: string,
  what: string,
): Promise<void> {
  const whole = await serverOptions(options);
  const error = thrown(() => new ServerConfig(whole));
  t.equal(error.code, `ERR_AWS_LC_CONFIG_${code}`, error.message);
  t.match(error.message, what);
}

t.test('an unknown suite', async (t) => {
  const cipherSuites = ['TLS_AES_128_GCM_SHA256', 'TLS_NONSENSE'];
  await refused(t, { cipherSuites }, 'CIPHER', 'TLS_NONSENSE');
  await refused(t, { cipherSuites: [] }, 'TYPE', 'cipherSuites');
  await refused(t, { cipherSuites: cipherSuites[0] as never }, 'TYPE', 'cipherSuites');
  await refused(t, { ciphers: 'NONSENSE' }, 'CIPHER', 'ciphers');
  await refused(t, { ciphers: '' }, 'CIPHER', 'ciphers');
});

t.test('an unknown group', async (t) => {
  await refused(t, { groups: ['X25519', 'P-257'] }, 'GROUP', 'P-257');
  await refused(t, { groups: [] }, 'TYPE', 'groups');
  await refused(t, { ecdhCurve: 'P-257' }, 'GROUP', 'P-257');
});

t.test('a minimum version above the maximum', async (t) => {
  const range = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } as const;
  await refused(t, range, 'VERSION', 'Version');
});

t.test('an unknown version', async (t) => {
  await refused(t, { minVersion: 'TLSv1.4' as never }, 'VERSION', 'TLSv1.4');
  await refused(t, { maxVersion: 'SSLv3' as never }, 'VERSION', 'SSLv3');
  await refused(t, { maxVersion: 3 as never }, 'VERSION', 'maxVersion');
});

t.test('suites that the versions leave no room for', async (t) => {
  const cipherSuites = ['TLS_AES_256_GCM_SHA384'];
  await refused(t, { cipherSuites, maxVersion: 'TLSv1.2' }, 'CIPHER', 'cipherSuites');
});

t.test('ALPN names that the wire cannot carry', async (t) => {
  await refused(t, { ALPNProtocols: [''] }, 'ALPN', 'ALPN');
  await refused(t, { ALPNProtocols: ['x'.repeat(256)] }, 'ALPN', 'ALPN');
  await refused(t, { ALPNProtocols: Buffer.from('\x05h2') }, 'ALPN', 'ALPN');
  await refused(t, { ALPNProtocols: [7] as never }, 'ALPN', 'ALPN');
  await refused(t, { ALPNProtocols: 'h2' as never }, 'TYPE', 'ALPN');
});

t.test('two names for one thing', async (t) => {
  const lists = { ALPNProtocols: ['h2'], alpnProtocols: ['http/1.1'] };
  await refused(t, lists, 'CONFLICT', 'alpnProtocols');
  await refused(t, { groups: ['X25519'], ecdhCurve: 'X25519' }, 'CONFLICT', 'ecdhCurve');
  const suites = { cipherSuites: ['TLS_AES_128_GCM_SHA256'], ciphers: 'DEFAULT' };
  await refused(t, suites, 'CONFLICT', 'ciphers');
});

t.test('kernel TLS values that contradict each other or do not exist', async (t) => {
  await refused(t, { ktls: 'always' as never }, 'KTLS', 'ktls');
  await refused(t, { ktls: { tx: 'sometimes' as never } }, 'KTLS', 'ktls');
  await refused(t, { ktls: { tx: 'require', afterBytes: 1000 } }, 'KTLS', 'afterBytes');
  await refused(t, { ktls: { afterBytes: -1 } }, 'KTLS', 'afterBytes');
});

t.test('a kernel TLS value that would be taken for the default', async (t) => {
  const wrong: unknown[] = [['off'], [], new Map([['tx', 'off']]), new String('off'), () => 'off'];
  for (const ktls of wrong) await refused(t, { ktls: ktls as never }, 'KTLS', 'ktls');
  await refused(t, { ktls: { Tx: 'off' } as never }, 'KTLS', 'ktls.Tx');
  await refused(t, { ktls: { mode: 'off' } as never }, 'KTLS', 'ktls.mode');
  const bare = Object.assign(Object.create(null) as object, { tx: 'off' as const });
  t.ok(new ClientConfig({ ktls: bare }));
});

t.test('suites for the kernel alone that leave none', async (t) => {
  for (const wrong of ['yes', 1, {}, '', null]) {
    await refused(t, { ktlsAeadOnly: wrong as never }, 'TYPE', 'ktlsAeadOnly');
  }
  const old = { ktlsAeadOnly: true, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
  await refused(t, old, 'CIPHER', 'ktlsAeadOnly');
  const cbc = ['ECDHE-ECDSA-AES128-SHA'];
  await refused(t, { ktlsAeadOnly: true, cipherSuites: cbc }, 'CIPHER', 'cipherSuites');
});

t.test('suites for the kernel alone, for one connection, that leave none', async (t) => {
  const suites = { cipherSuites: ['ECDHE-ECDSA-AES128-SHA'] };
  const one = { ktlsAeadOnly: true };
  const connector = new TlsConnector(new ClientConfig(suites));
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions(suites)));
  const code = 'ERR_AWS_LC_CONFIG_CIPHER';
  await t.rejects(connector.connect('localhost', new PassThrough(), one), { code });
  await t.rejects(acceptor.accept(new PassThrough(), one), { code });
  const wrong = { ktlsAeadOnly: 'yes' as never };
  await t.rejects(acceptor.accept(new PassThrough(), wrong), { code: 'ERR_AWS_LC_CONFIG_TYPE' });
});

t.test('two ways of asking for client certificates', async (t) => {
  const ca = (await pki.clientRoot()).cert;
  const both = { ca, clientAuth: 'required', requestCert: true } as const;
  await serverRefused(t, both, 'CONFLICT', 'clientAuth');
  const mixed = { ca, clientAuth: 'none', rejectUnauthorized: false } as const;
  await serverRefused(t, mixed, 'CONFLICT', 'clientAuth');
  await serverRefused(t, { ca, clientAuth: 'maybe' as never }, 'TYPE', 'clientAuth');
});

t.test('client certificates without roots to judge them by', async (t) => {
  await serverRefused(t, { clientAuth: 'required' }, 'MISSING', 'ca');
  await serverRefused(t, { clientAuth: 'optional' }, 'MISSING', 'ca');
});

t.test('a handshake timeout that is no time', async (t) => {
  for (const handshakeTimeout of [-1, Number.NaN, '5s' as never]) {
    await serverRefused(t, { handshakeTimeout }, 'TYPE', 'handshakeTimeout');
  }
});

t.test(
  'options of node:tls that are not offered, since ignoring them could cost security',
  async (t) => {
    for (const option of [
      'pskCallback',
      'secureContext',
      'secureProtocol',
      'clientCertEngine',
      'privateKeyEngine',
    ]) {
      await refused(t, { [option]: 'something' }, 'UNSUPPORTED', option);
    }
  },
);

t.test('signature algorithms that are none', async (t) => {
  await refused(t, { sigalgs: 'RSA+SHA256:something' }, 'SIGALGS', 'something');
  await refused(t, { sigalgs: '' }, 'SIGALGS', 'sigalgs');
  await refused(t, { sigalgs: 5 as never }, 'TYPE', 'sigalgs');
});

t.test('revocation lists that are none', async (t) => {
  const certificate = (await pki.server()).cert;
  await refused(t, { crl: 'something' }, 'CRL', 'crl');
  await refused(t, { crl: certificate }, 'CRL', 'holds no revocation list');
  await refused(t, { crl: [Buffer.from('3003020101', 'hex')] }, 'CRL', 'crl');
  await refused(t, { crl: 5 as never }, 'TYPE', 'crl');
});

t.test('callbacks that are no functions, or say the same as another option', async (t) => {
  for (const name of ['SNICallback', 'ALPNCallback', 'OCSPCallback']) {
    await serverRefused(t, { [name]: 'something' }, 'TYPE', name);
  }
  const both = { ALPNCallback: () => 'h2', ALPNProtocols: ['h2'] };
  await serverRefused(t, both, 'CONFLICT', 'ALPNCallback');
});

t.test('patterns that no server name can match', (t) => {
  const names = new ServerNames();
  const config = {} as ServerConfig;
  for (const nonsense of [
    '',
    '.',
    'a..b',
    '*.ex ample',
    'https://a',
    'a/b',
    '::1',
    'x'.repeat(64),
    5,
  ]) {
    const error = thrown(() => names.add(nonsense as string, config));
    t.equal(error.code, 'ERR_AWS_LC_CONFIG_SERVER_NAME', String(nonsense));
  }
  t.end();
});

t.test('what is no object of options', (t) => {
  for (const nonsense of [null, 'pem', 42] as never[]) {
    t.match(
      thrown(() => new ServerConfig(nonsense)),
      { code: /^ERR_/ },
    );
    t.match(
      thrown(() => new ClientConfig(nonsense)),
      { code: /^ERR_/ },
    );
  }
  t.doesNotThrow(() => new ClientConfig());
  t.end();
});

t.test('an acceptor and a connector take configurations and nothing else', (t) => {
  t.throws(() => new TlsAcceptor({} as never), { code: /^ERR_/ });
  t.throws(() => new TlsConnector({} as never), { code: /^ERR_/ });
  t.throws(() => new TlsAcceptor(new ClientConfig() as never), { code: /^ERR_/ });
  t.end();
});
