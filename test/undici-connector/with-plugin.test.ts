/** The connector and the Fastify plugin with nobody else in between. */
import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { awsLcTls } from '@node-aws-lc/fastify-plugin';
import { createConnector } from '@node-aws-lc/undici-connector';
import Fastify from 'fastify';
import t from 'tap';
import { client, clientRoot, root, server as serverIdentity } from '../helpers/pki.js';
import { pattern, patternDigest } from './pattern.js';
import { undicis } from './undicis.js';

const LENGTH = 5_000_011;

for (const { name, undici, skip } of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    t.test(`${name} over ${protocol}`, { skip }, async (t) => {
      const { Agent, fetch, request } = undici!;
      const port = await startService(t);
      const url = `https://localhost:${port}`;
      const { cert: ca } = await root();
      const { key, cert } = await client();
      const allowH2 = protocol === 'h2';

      const newAgent = (t: tap.Test, connect = createConnector({ ca, key, cert, allowH2 })) => {
        const agent = new Agent({ allowH2, connect });
        t.teardown(() => agent.destroy());
        return agent;
      };

      t.test('both sides agree on what was negotiated', async (t) => {
        const response = await fetch(url, { dispatcher: newAgent(t) });
        t.match(await response.json(), {
          protocol: 'https',
          alpn: protocol,
          tls: 'TLSv1.3',
          group: 'X25519MLKEM768',
          authorized: true,
          client: 'CN=Test Client\nO=node-aws-lc',
        });
      });

      t.test('large bodies both ways', async (t) => {
        const dispatcher = newAgent(t);
        const { body } = await request(`${url}/echo`, {
          dispatcher,
          method: 'POST',
          headers: { 'content-type': 'application/octet-stream' },
          body: pattern(LENGTH),
        });
        const hash = createHash('sha256');
        for await (const chunk of body) {
          hash.update(chunk as Buffer);
        }
        t.equal(hash.digest('hex'), patternDigest(LENGTH));
      });

      t.test('a second connection resumes the first', async (t) => {
        const connect = createConnector({ ca, key, cert, allowH2 });
        const resumed: boolean[] = [];
        for (let i = 0; i < 3; i++) {
          const dispatcher = newAgent(t, connect);
          const { body } = await request(url, { dispatcher });
          const answer = (await body.json()) as { resumed: boolean; authorized: boolean };
          t.equal(answer.authorized, true);
          resumed.push(answer.resumed);
          await dispatcher.close();
        }
        t.strictSame(resumed, [false, true, true]);
      });

      t.test('a missing client certificate', async (t) => {
        const connect = createConnector({ ca, allowH2 });
        await t.rejects(request(url, { dispatcher: newAgent(t, connect) }), {
          code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
        });
      });
    });
  }
}

/** Starts a service that wants client certificates. */
async function startService(t: tap.Test): Promise<number> {
  const { key, chain } = await serverIdentity();
  const { cert: ca } = await clientRoot();
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(awsLcTls, { key, cert: chain, ca, clientAuth: 'required' });
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    done(null, payload);
  });
  app.post('/echo', (request, reply) => reply.send(request.body));
  app.get('/', (request) => ({
    protocol: request.protocol,
    alpn: request.tls?.negotiated.alpn,
    tls: request.tls?.negotiated.protocol,
    group: request.tls?.negotiated.group,
    resumed: request.tls?.negotiated.resumed,
    authorized: request.tls?.authorized,
    client: request.tls?.peerCertificate()?.subject,
  }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}
