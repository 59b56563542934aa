import t from 'tap';
import type https from 'node:https';
import { authorizeClient } from '@node-aws-lc/fastify-plugin';
import * as pki from '../helpers/pki.js';
import { eventually, nextEvent, thrown } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { type Answer, h1, h2, h2Session, rawTcp, rawTls, untilClosed } from './clients.js';

eachForm(t, 'addContext() serves another certificate to those who ask for it', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async ({ tls }) => tls?.negotiated.serverName);
  const port = await listen(app);
  const other = await pki.serverFor(['dns:*.example.com'], 'other');
  app.tls.addContext('*.example.com', { key: other.key, cert: other.chain });
  const ask = async (servername: string): Promise<unknown> =>
    (
      await rawTls(t, port, { servername, checkServerIdentity: () => undefined })
    ).getPeerCertificate().subject.CN;
  t.equal(await ask('a.example.com'), 'other');
  t.equal(await ask('localhost'), 'localhost');
  const lookup = undefined;
  const session = await h2Session(t, port, {
    servername: 'b.example.com',
    host: '127.0.0.1',
    lookup,
  });
  t.equal((await h2(session)).body, 'b.example.com');

  const renewed = await pki.serverFor(['dns:localhost'], 'renewed');
  app.tls.setSecureContext({ key: renewed.key, cert: renewed.chain });
  t.equal(await ask('localhost'), 'renewed');
  t.equal(await ask('a.example.com'), 'other', 'a name keeps what was added for it');
  t.match(
    thrown(() => app.tls.addContext('x', { key: 'no key', cert: 'no cert' })),
    { code: /^ERR_AWS_LC_CONFIG_/ },
  );
});

eachForm(
  t,
  'a name has client authentication of its own, which nobody gets around',
  async (t, form) => {
    const app = await makeApp(t, { form });
    app.get('/', async ({ host, tls }) => ({ host, authorized: tls?.authorized }));
    app.get('/in', { onRequest: authorizeClient() }, async () => 'in');
    app.server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 \r\n\r\n'));
    const port = await listen(app);
    const secret = await pki.serverFor(['dns:secret.test'], 'secret');
    const ca = (await pki.clientRoot()).cert;
    const { key, cert } = { key: secret.key, cert: secret.chain };
    app.tls.addContext('secret.test', { key, cert, ca, clientAuth: 'required' });
    const client = await pki.client();
    const identity = { key: client.key, cert: client.chain };
    const ask = (
      path: string,
      servername: string,
      host: string,
      own: https.RequestOptions = {},
    ): Promise<Answer> => h1(port, path, { servername, headers: { host }, ...own });

    t.match(JSON.parse((await ask('/', 'secret.test', 'secret.test', identity)).body), {
      host: 'secret.test',
      authorized: true,
    });
    t.equal((await ask('/in', 'secret.test', 'secret.test', identity)).body, 'in');
    await t.rejects(ask('/', 'secret.test', 'secret.test'), 'no certificate, no connection');
    t.match(await ask('/', 'localhost', 'localhost'), { status: 200 });
    t.match(await ask('/', 'localhost', 'secret.test'), { status: 421 });
    t.match(await ask('/', 'localhost', 'SECRET.test:443'), { status: 421 });
    t.match(await ask('/', 'localhost', 'secret.test.'), { status: 421 });
    // Each is secret.test to one framework or another.
    for (const host of ['secret.test:x', 'secret.test:443:1', 'a@secret.test', 'secret%2etest']) {
      t.match(await ask('/', 'localhost', host), { status: 421 }, host);
    }
    t.match(await ask('https://secret.test/', 'localhost', 'localhost'), { status: 421 });
    t.match(await ask('https://localhost/', 'localhost', 'localhost'), { status: 200 });
    t.match(await ask('/', 'secret.test', 'localhost', identity), { status: 200 });

    const session = await h2Session(t, port);
    t.match(await h2(session, '/', { ':authority': 'secret.test' }), { status: 421 });
    t.match(await h2(session, '/', { ':authority': 'localhost' }), { status: 200 });
    t.match(await h2(session, '/', { ':authority': 'localhost', host: 'secret.test' }), {
      status: /4\d\d/,
    });

    const socket = await rawTls(t, port);
    socket.write(
      'GET / HTTP/1.1\r\nHost: secret.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    );
    t.match(String(await untilClosed(socket)), /^HTTP\/1\.1 421 /);
  },
);

t.test('a refused upgrade is closed, and its client may hang up as it likes', async (t) => {
  const app = await makeApp(t);
  app.server.on('upgrade', () => {});
  const port = await listen(app);
  const { key, chain: cert } = await pki.serverFor(['dns:secret.test'], 'secret');
  const ca = (await pki.clientRoot()).cert;
  app.tls.addContext('secret.test', { key, cert, ca, clientAuth: 'required' });
  const upgrade =
    'GET / HTTP/1.1\r\nHost: secret.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

  const patient = await rawTls(t, port, { allowHalfOpen: true });
  patient.resume();
  patient.write(upgrade);
  await eventually('the server to close', () => app.tls.stats().connections === 0);

  for (let i = 0; i < 5; i++) {
    const transport = await rawTcp(t, port);
    const socket = await rawTls(t, port, { socket: transport });
    socket.write(upgrade);
    if (i % 2 === 0) await nextEvent(socket, 'data');
    // A client of Node 26 has sent nothing yet, its last word of the handshake included.
    else await eventually('the handshake', () => app.tls.stats().handshakes === i + 2);
    transport.resetAndDestroy();
  }
  await eventually('all to be gone', () => app.tls.stats().connections === 0);
  t.equal(app.tls.stats().handshakes, 6);
});

t.test('addContext() is refused where an SNICallback decides', async (t) => {
  const app = await makeApp(t, { tls: { SNICallback: () => undefined } });
  const { key, chain: cert } = await pki.server();
  t.match(
    thrown(() => app.tls.addContext('localhost', { key, cert })),
    { code: 'ERR_AWS_LC_CONFIG_CONFLICT' },
  );
});
