/**
 * The torture set of bad certificates, over undici: the code that a request fails with must be the
 * one that undici's own connector gives, but where the set says why we are stricter.
 */
import { isIP } from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import type * as undici7 from 'undici';
import { cases, type Presented } from '../core/torture/cases.js';
import { ExtendedKeyUsage } from '../helpers/forge.js';
import { startOrigin } from './origin.js';
import { type Undici, undicis } from './undicis.js';

const GOOD = 'answered';

// Node's own TLS serves every certificate, however weak its key.
const lenient = { ciphers: 'DEFAULT@SECLEVEL=0' };

for (const { name, skip, undici, connector } of undicis) {
  t.test(name, { skip }, async (t) => {
    for (const [what, { make, stricter }] of Object.entries(cases)) {
      t.test(what, async (t) => {
        const presented = await make(ExtendedKeyUsage.serverAuth);
        const { identity, chain, ca, crl, host = 'localhost' } = presented;
        const origin = await startOrigin({
          tls: { key: identity.key, cert: chain ?? identity.chain, ...lenient },
        });
        origin.server.on('tlsClientError', () => {});
        t.teardown(() => origin.close());
        const options = { ca, ...(crl === undefined ? {} : { crl }), ...naming(presented) };
        const theirs = await outcome(undici!, origin.url, options);
        const ours = await outcome(undici!, origin.url, connector!.createConnector(options));
        if (stricter === undefined || ours === theirs) t.equal(ours, theirs, `for ${host}`);
        else t.not(ours, GOOD, stricter);
      });
    }
  });
}

/** Has the certificate be for the case's host, which is reached under the name of localhost. */
function naming({ host = 'localhost' }: Presented) {
  return {
    ...(isIP(host) ? {} : { servername: host }),
    checkServerIdentity: (_name: string, certificate: tls.PeerCertificate) =>
      tls.checkServerIdentity(host, certificate),
  };
}

/** The code that a request to `url` fails with. */
async function outcome(
  undici: Undici,
  url: string,
  connect: undici7.Agent.Options['connect'],
): Promise<string> {
  const dispatcher = new undici.Agent({ connect });
  try {
    const { body } = await undici.request(url, { dispatcher });
    await body.dump();
    return GOOD;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  } finally {
    await dispatcher.destroy();
  }
}
