import { join } from 'node:path';
import t from 'tap';
import { exampleCa, startExample } from './example.js';
import { h1 } from '../fastify-plugin/clients.js';
import { issue, type Identity } from '../helpers/certificate.js';
import * as pki from '../helpers/pki.js';

t.test('the mTLS service lets each client do what its certificate entitles to', async (t) => {
  const authority = await pki.clientRoot();
  const dir = t.testdir({ 'clients.pem': authority.cert });
  const env = { CLIENT_CA: join(dir, 'clients.pem') };
  const service = startExample(t, 'mtls-service', [], { env });
  const [, port] = await service.saw(/https:\/\/localhost:(\d+)\/health/);
  const ca = exampleCa();
  const client = (subject: string): Promise<Identity> =>
    issue({ subject, issuer: authority, purposes: ['clientAuth'] });
  const [billing, audit] = [await client('billing'), await client('audit')];
  const ask = async (path: string, identity?: Identity): Promise<number> => {
    const own = identity && { key: identity.key, cert: identity.cert };
    return (await h1(Number(port), path, { ca, servername: 'localhost', ...own })).status;
  };

  t.equal(await ask('/health'), 200);
  t.equal(await ask('/orders'), 403);
  t.equal(await ask('/orders', billing), 200);
  t.equal(await ask('/audit', billing), 403);
  t.equal(await ask('/audit', audit), 200);
});
