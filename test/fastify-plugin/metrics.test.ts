import t from 'tap';
import { Registry, register } from 'prom-client';
import { eventually } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { h1, h2, h2Session, rawTcp } from './clients.js';

eachForm(t, 'stats() tells handshakes apart by what they agreed on', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  await h1(port, '/', { maxVersion: 'TLSv1.2' });
  await h1(port, '/', { ecdhCurve: 'P-256' });
  await h2(await h2Session(t, port));
  const { negotiated, handshakes, pending } = app.tls.stats();
  t.equal(handshakes, 3);
  t.equal(pending, 0);
  t.same(negotiated.protocol, { 'TLSv1.2': 1, 'TLSv1.3': 2 });
  t.equal(sum(negotiated.cipher), 3);
  t.equal(sum(negotiated.group), 3);
  t.match(negotiated.group, { 'P-256': 1 });
  t.same(negotiated.alpn, { none: 2, h2: 1 });
  t.equal(negotiated.resumed, 0);
});

t.test('stats() counts resumed handshakes and handshakes under way', async (t) => {
  const app = await makeApp(t);
  app.get('/', async () => 'ok');
  const port = await listen(app);
  const { Agent } = await import('node:https');
  // Resumes by itself.
  const agent = new Agent({ keepAlive: false });
  for (let i = 0; i < 3; i++) await h1(port, '/', { agent, servername: 'localhost' });
  t.equal(app.tls.stats().negotiated.resumed, 2);
  const silent = await rawTcp(t, port);
  await eventually('a handshake under way', () => app.tls.stats().pending === 1);
  silent.destroy();
  await eventually('none under way', () => app.tls.stats().pending === 0);
});

t.test('registerMetrics() shows the same figures as Prometheus text', async (t) => {
  const app = await makeApp(t);
  app.get('/', async () => 'ok');
  const registry = app.tls.registerMetrics(new Registry());
  const port = await listen(app);
  await h1(port);
  const open = await h2Session(t, port);
  await h2(open);
  (await rawTcp(t, port)).write('what?');
  await eventually('the failure', () => sum(app.tls.stats().failures) === 1);

  const text = await registry.metrics();
  const { negotiated, bytes, failures } = app.tls.stats();
  const [cipher] = Object.keys(negotiated.cipher);
  const [code] = Object.keys(failures);
  for (const line of [
    '# TYPE tls_handshakes_total counter',
    'tls_handshakes_total 2',
    'tls_handshakes_by_version_total{version="TLSv1.3"} 2',
    `tls_handshakes_by_cipher_total{cipher="${cipher}"} 2`,
    'tls_handshakes_by_alpn_total{alpn="h2"} 1',
    'tls_handshakes_resumed_total 0',
    `tls_handshake_failures_total{code="${code}"} 1`,
    'tls_ktls_connections_total{direction="tx"} ',
    `tls_bytes_total{direction="in"} ${bytes.in}`,
    '# TYPE tls_connections gauge',
    'tls_handshakes_pending 0',
  ]) {
    t.ok(text.includes(line), line);
  }
  t.match(await registry.metrics(), /tls_handshakes_total 2\n/, 'asked twice, counted once');
});

t.test('registerMetrics() uses the global registry unless given another', async (t) => {
  const app = await makeApp(t);
  t.teardown(() => register.clear());
  t.equal(app.tls.registerMetrics(), register);
  t.match(await register.metrics(), /tls_connections 0/);
});

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
