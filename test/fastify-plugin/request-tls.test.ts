import t from 'tap';
import type { TLSSocket } from 'node:tls';
import * as pki from '../helpers/pki.js';
import { eachForm, listen, makeApp } from './app.js';
import { h1, h2, h2Session } from './clients.js';

eachForm(t, 'the client certificate is in request.tls and on request.socket', async (t, form) => {
  const client = await pki.client();
  const app = await makeApp(t, {
    form,
    tls: { clientAuth: 'optional', ca: (await pki.clientRoot()).cert },
  });
  app.get('/', async ({ tls, socket }) => ({
    authorized: tls?.authorized,
    subject: tls?.peerCertificate()?.subject ?? null,
    onSocket: {
      authorized: (socket as TLSSocket).authorized,
      subject: (socket as TLSSocket).getPeerCertificate().subject,
    },
  }));
  const port = await listen(app);
  const identity = { key: client.key, cert: client.chain };

  const known = {
    authorized: true,
    subject: /CN=Test Client/,
    onSocket: { authorized: true, subject: { CN: 'Test Client' } },
  };
  t.match(JSON.parse((await h1(port, '/', identity)).body), known);
  t.match(JSON.parse((await h2(await h2Session(t, port, identity))).body), known);

  const unknown = { authorized: false, subject: null };
  t.match(JSON.parse((await h1(port)).body), unknown);
  t.match(JSON.parse((await h2(await h2Session(t, port))).body), unknown);
});

eachForm(t, 'request.tls is null under inject', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async ({ tls, protocol }) => ({ tls, protocol }));
  const { body } = await app.inject('/');
  t.same(JSON.parse(body), { tls: null, protocol: 'http' });
});

eachForm(t, 'request.tls still answers in an onResponse hook', async (t, form) => {
  const app = await makeApp(t, { form });
  const seen: unknown[] = [];
  const twice = new Promise<void>((resolve) => {
    app.addHook('onResponse', async ({ tls }) => {
      if (seen.push(tls?.negotiated.alpn) === 2) resolve();
    });
  });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  await h1(port, '/', { ALPNProtocols: ['http/1.1'] });
  const session = await h2Session(t, port);
  const answer = h2(session);
  void answer.then(() => session.destroy());
  await answer;
  await twice;
  t.same(seen, ['http/1.1', 'h2']);
});

t.test('request.tls is one object a connection', async (t) => {
  const app = await makeApp(t);
  const seen = new Set();
  app.get('/', async ({ tls }) => seen.add(tls).size);
  const port = await listen(app);
  const session = await h2Session(t, port);
  await h2(session);
  t.equal((await h2(session)).body, '1');
});

t.test('encapsulated routes see request.tls and app.tls', async (t) => {
  const app = await makeApp(t);
  await app.register(async (child) => {
    child.get('/child', async ({ tls }) => [tls?.negotiated.protocol, typeof child.tls.stats]);
  });
  const port = await listen(app);
  t.same(JSON.parse((await h1(port, '/child')).body), ['TLSv1.3', 'function']);
});
