/** Whatever is given as DER holds exactly one object, in every place that takes DER. */
import { ClientConfig, ServerConfig } from '@node-aws-lc/core';
import t from 'tap';
import * as pki from '../helpers/pki.js';
import { thrown } from '../helpers/wait.js';

/** `der` with all that it must not be. */
function damaged(der: Buffer): Record<string, Buffer> {
  return {
    'with a zero byte behind it': Buffer.concat([der, Buffer.of(0)]),
    'with garbage behind it': Buffer.concat([der, Buffer.from('garbage')]),
    'twice in one': Buffer.concat([der, der]),
    'cut off by a byte': der.subarray(0, -1),
    'of a header alone': der.subarray(0, 4),
    empty: Buffer.alloc(0),
    'of nothing but text': Buffer.from('not a real DER object'),
  };
}

t.test('a certificate', async (t) => {
  const { keyDer, certDer, chainDer } = await pki.server();
  for (const [what, cert] of Object.entries(damaged(certDer))) {
    for (const Config of [ServerConfig, ClientConfig]) {
      const alone = thrown(() => new Config({ key: keyDer, cert }));
      t.match(alone, { code: 'ERR_AWS_LC_CONFIG_CERT', option: 'cert' }, what);
      const leaf = thrown(() => new Config({ key: keyDer, cert: [cert, ...chainDer.slice(1)] }));
      t.match(leaf, { code: 'ERR_AWS_LC_CONFIG_CERT', option: 'cert' }, `${what}, leaf`);
    }
  }
});

t.test('an intermediate', async (t) => {
  const { keyDer, certDer } = await pki.server();
  for (const [what, intermediate] of Object.entries(damaged((await pki.intermediate()).certDer))) {
    const error = thrown(() => new ServerConfig({ key: keyDer, cert: [certDer, intermediate] }));
    t.match(error, { code: 'ERR_AWS_LC_CONFIG_CERT', option: 'cert' }, what);
  }
});

t.test('a chain of no certificate', async (t) => {
  const { keyDer } = await pki.server();
  for (const Config of [ServerConfig, ClientConfig]) {
    const error = thrown(() => new Config({ key: keyDer, cert: [] }));
    t.match(error, { code: /^ERR_AWS_LC_CONFIG_(CERT|MISSING)$/, option: 'cert' });
  }
});

t.test('a key in each of its forms', async (t) => {
  for (const identity of [await pki.server(), await pki.serverRsa()]) {
    for (const form of ['keyDer', 'keyTraditionalDer'] as const) {
      for (const [what, key] of Object.entries(damaged(identity[form]))) {
        for (const Config of [ServerConfig, ClientConfig]) {
          const error = thrown(() => new Config({ key, cert: identity.certDer }));
          t.match(error, { code: 'ERR_AWS_LC_CONFIG_KEY', option: 'key' }, `${form} ${what}`);
        }
      }
    }
  }
});

t.test('a root', async (t) => {
  const { certDer } = await pki.root();
  const { key, chain } = await pki.server();
  for (const [what, ca] of Object.entries(damaged(certDer))) {
    for (const roots of [ca, [certDer, ca]]) {
      const client = thrown(() => new ClientConfig({ ca: roots }));
      t.match(client, { code: 'ERR_AWS_LC_CONFIG_CA', option: 'ca' }, what);
      const server = thrown(
        () => new ServerConfig({ key, cert: chain, ca: roots, clientAuth: 'required' }),
      );
      t.match(server, { code: 'ERR_AWS_LC_CONFIG_CA', option: 'ca' }, what);
    }
  }
});

t.test('a path with a NUL is no path', async (t) => {
  const { key, chain: cert } = await pki.server();
  const file = 'foo\0bar.pem';
  for (const options of [
    { keyFile: file, cert },
    { key, certFile: file },
  ]) {
    const error = thrown(() => new ServerConfig(options));
    t.match(error, { code: 'ERR_AWS_LC_CONFIG_FILE' });
  }
  t.match(
    thrown(() => new ClientConfig({ caFile: file })),
    { code: 'ERR_AWS_LC_CONFIG_FILE' },
  );
});
