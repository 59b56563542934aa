import t from 'tap';
import * as pki from '../helpers/pki.js';
import { eventually, thrown } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { h1, h2, h2Session, rawTcp, rawTls } from './clients.js';

eachForm(t, 'stats() counts connections, handshakes, failures and bytes', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async () => 'x'.repeat(1000));
  const port = await listen(app);
  t.same(app.tls.stats(), {
    connections: 0,
    pending: 0,
    handshakes: 0,
    negotiated: { protocol: {}, cipher: {}, group: {}, alpn: {}, resumed: 0 },
    failures: {},
    ktls: { tx: 0, rx: 0, refused: {} },
    bytes: { in: 0, out: 0 },
  });

  const session = await h2Session(t, port);
  await h2(session);
  const open = app.tls.stats();
  t.match(open, { connections: 1, handshakes: 1, failures: {} });
  t.ok(open.bytes.out >= 1000, 'bytes of an open connection are counted');

  await h1(port);
  (await rawTcp(t, port)).write('what?');
  session.destroy();
  await eventually('the connections to end', () => app.tls.stats().connections === 0);
  await eventually('the failure', () => Object.keys(app.tls.stats().failures).length === 1);
  const ended = app.tls.stats();
  t.equal(ended.handshakes, 2);
  t.ok(ended.bytes.out >= 2000, 'and those of closed ones');
  t.ok(ended.bytes.in > 0);
  const { tx, refused } = ended.ktls;
  t.ok(tx + Object.values(refused).reduce((a, b) => a + b, 0) >= 2, 'kTLS or a reason, each');
});

eachForm(t, 'setSecureContext() changes the certificate for new connections', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  const before = await rawTls(t, port, { ALPNProtocols: ['http/1.1'] });
  t.match(before.getPeerCertificate().subject, { CN: 'localhost' });

  const renewed = await pki.serverFor(['dns:localhost'], 'renewed');
  app.tls.setSecureContext({ key: renewed.key, cert: renewed.chain });
  const after = await rawTls(t, port, { ALPNProtocols: ['h2', 'http/1.1'] });
  t.match(after.getPeerCertificate().subject, { CN: 'renewed' });
  t.equal(after.alpnProtocol, 'h2', 'ALPN is as before');

  before.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const chunk of before) answer += String(chunk);
  t.match(answer, /200 OK/, 'the old connection lives on');
});

t.test('setSecureContext() with bad material throws and changes nothing', async (t) => {
  const app = await makeApp(t);
  const port = await listen(app);
  const { key } = await pki.serverRsa();
  const { chain } = await pki.server();
  t.match(
    thrown(() => app.tls.setSecureContext({ key, cert: chain })),
    {
      code: /^ERR_AWS_LC_CONFIG_/,
    },
  );
  t.match((await rawTls(t, port)).getPeerCertificate().subject, { CN: 'localhost' });
});

t.test('setSecureContext() keeps the demand for client certificates', async (t) => {
  const clientRoot = (await pki.clientRoot()).cert;
  const app = await makeApp(t, { tls: { clientAuth: 'required', ca: clientRoot } });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  const { key, chain } = await pki.server();
  app.tls.setSecureContext({ key, cert: chain, ca: clientRoot });
  await t.rejects(h1(port));
  const client = await pki.client();
  t.match(await h1(port, '/', { key: client.key, cert: client.chain }), { body: 'ok' });
});
