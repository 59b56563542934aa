/** createProxyAgent through squid. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { root } from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';
import { rejection } from '../helpers/wait.js';
import { startOrigin } from './origin.js';
import { startSquid } from './squid.js';
import { undicis } from './undicis.js';

t.test('squid', { skip: missing('squid', 'squid') || missing('openssl', 'openssl') }, async (t) => {
  const hash = execFileSync('openssl', ['passwd', '-apr1', 'pass'], { encoding: 'utf8' }).trim();
  const port = await startSquid(t, 'user', hash);
  const uri = (credentials: string) => `http://${credentials}localhost:${port}`;
  const { cert: ca } = await root();

  for (const { name, undici, connector, skip } of undicis) {
    t.test(name, { skip }, async (t) => {
      const { errors, request } = undici!;
      const origin = await startOrigin({ protocol: 'h2' });
      t.teardown(() => origin.close());
      for (const [allowH2, httpVersion] of [
        [false, '1.1'],
        [true, '2.0'],
      ] as const) {
        const requestTls = { ca, allowH2 };
        const dispatcher = connector!.createProxyAgent({ uri: uri('user:pass@'), requestTls });
        t.teardown(() => dispatcher.destroy());
        const { body } = await request(origin.url, { dispatcher });
        t.match(await body.json(), { httpVersion });
        const large = await request(`${origin.url}/pattern?length=1000000`, { dispatcher });
        t.equal((await large.body.arrayBuffer()).byteLength, 1_000_000);
      }

      for (const credentials of ['', 'user:wrong@', 'nobody:pass@']) {
        const dispatcher = connector!.createProxyAgent(uri(credentials));
        t.teardown(() => dispatcher.destroy());
        const refused = await rejection(request(origin.url, { dispatcher }));
        t.ok(refused instanceof errors.RequestAbortedError, credentials || 'no credentials');
        t.match(refused, { code: 'UND_ERR_ABORTED', message: /407/ });
      }

      const dispatcher = connector!.createProxyAgent({
        uri: uri('user:pass@'),
        requestTls: { ca },
        allowCleartext: true,
        proxyTunnel: false,
      });
      t.teardown(() => dispatcher.destroy());
      const nowhere = await request('http://localhost:1/', { dispatcher });
      await nowhere.body.dump();
      t.equal(nowhere.statusCode, 503, 'squid’s own answer to what it was to forward');
    });
  }
});
