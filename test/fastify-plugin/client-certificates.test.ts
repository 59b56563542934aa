import t from 'tap';
import { authorizeClient } from '@node-aws-lc/fastify-plugin';
import * as pki from '../helpers/pki.js';
import { eachForm, listen, makeApp } from './app.js';
import { h1, h2, h2Session } from './clients.js';

eachForm(t, 'authorizeClient() asks its check on both protocols', async (t, form) => {
  const authority = await pki.clientRoot();
  const app = await makeApp(t, { form, tls: { clientAuth: 'optional', ca: authority.cert } });
  const onRequest = authorizeClient(async ({ subject }, { url }) => url === `/${subject}`);
  app.get('/*', { onRequest }, async ({ tls }) => tls?.peerCertificate()?.subject);
  app.get('/any', { onRequest: authorizeClient() }, async () => 'any');
  const port = await listen(app);
  const { key, chain: cert } = await pki.client();

  t.match(await h1(port, '/any', { key, cert }), { status: 200 });
  t.match(await h1(port, '/CN=Test%20Client', { key, cert }), { status: 403 });
  const session = await h2Session(t, port, { key, cert });
  t.match(await h2(session, '/any'), { status: 200 });
  t.match(JSON.parse((await h2(session, '/CN=Somebody')).body), {
    statusCode: 403,
    code: 'ERR_AWS_LC_FASTIFY_CLIENT_REFUSED',
  });
  t.match(JSON.parse((await h1(port, '/any')).body), {
    statusCode: 403,
    code: 'ERR_AWS_LC_FASTIFY_CLIENT_CERTIFICATE',
  });
  t.match((await app.inject('/any')).statusCode, 403, 'nobody is authorised under inject()');
});

t.test("a certificate that was recorded but not verified is not 'authorized'", async (t) => {
  const app = await makeApp(t, {
    tls: { requestCert: true, rejectUnauthorized: false, ca: (await pki.clientRoot()).cert },
  });
  app.get('/', { onRequest: authorizeClient() }, async () => 'in');
  const port = await listen(app);
  const { key, chain: cert } = await pki.server();
  t.match(await h1(port, '/', { key, cert }), { status: 403 });
});
