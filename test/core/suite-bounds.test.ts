/** A list of suites and a range of versions each take away; neither gives back what the other took. */
import { ClientConfig, type ClientConfigOptions, type TlsVersion } from '@node-aws-lc/core';
import t from 'tap';
import { connected, failedHandshake } from '../helpers/handshake.js';
import { thrown } from '../helpers/wait.js';

const older = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const newer = 'TLS_AES_128_GCM_SHA256';
const versions: TlsVersion[] = ['TLSv1.2', 'TLSv1.3'];

/** The versions that lists of suites leave. */
const lists: [string[] | undefined, TlsVersion[]][] = [
  [undefined, versions],
  [[older], ['TLSv1.2']],
  [[newer], ['TLSv1.3']],
  [[older, newer], versions],
];

for (const [cipherSuites, possible] of lists) {
  for (const minVersion of versions) {
    for (const maxVersion of versions) {
      const options: ClientConfigOptions = { cipherSuites, minVersion, maxVersion };
      const left = possible.filter((version) => minVersion <= version && version <= maxVersion);
      const what = `${cipherSuites?.join(' and ') ?? 'all suites'}, ${minVersion} to ${maxVersion}`;

      t.test(`${what}: ${left.join(', ') || 'refused'}`, async (t) => {
        if (left.length === 0) {
          const code = minVersion > maxVersion ? 'VERSION' : 'CIPHER';
          const error = thrown(() => new ClientConfig(options));
          t.equal(error.code, `ERR_AWS_LC_CONFIG_${code}`);
          return;
        }
        for (const version of versions) {
          const other = { minVersion: version, maxVersion: version };
          for (const setup of [
            { client: options, server: other },
            { client: other, server: options },
          ]) {
            if (!left.includes(version)) {
              await failedHandshake(t, setup);
              continue;
            }
            const { client } = await connected(t, setup);
            t.equal(client.getProtocol(), version);
            if (cipherSuites) t.ok(cipherSuites.includes(client.negotiated.cipher));
          }
        }
      });
    }
  }
}
