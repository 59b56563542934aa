import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { WebSocketServer } from 'ws';
import { otherRoot, root, server } from '../helpers/pki.js';
import { startProxy } from '../undici-connector/proxy.js';
import { startExample } from './example.js';

/** A server of Node's own that says which HTTP version it was asked in. */
async function startOrigin(t: Test): Promise<string> {
  const { key, chain: cert } = await server();
  const origin = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end(`asked over ${request.httpVersion}\n`);
  });
  await new Promise<void>((resolve) => origin.listen(0, 'localhost', resolve));
  t.teardown(() => origin.close());
  return `https://localhost:${(origin.address() as AddressInfo).port}/`;
}

/** Files with the root that signs the origin, and with one that does not. */
async function rootFiles(t: Test): Promise<{ right: string; wrong: string }> {
  const dir = t.testdir({
    'root.pem': (await root()).cert,
    'other-root.pem': (await otherRoot()).cert,
  });
  return { right: join(dir, 'root.pem'), wrong: join(dir, 'other-root.pem') };
}

t.test('the minimal HTTPS client', async (t) => {
  const url = await startOrigin(t);
  const { right, wrong } = await rootFiles(t);

  t.test('prints the response of a server that it trusts', async (t) => {
    const { code, stdout, stderr } = await startExample(t, 'https-client', [url, right]).ended;
    t.equal(code, 0);
    t.match(stdout, /^HTTP\/1\.1 200 OK\r\n[^]*asked over 1\.1\n/);
    t.match(stderr, /^TLSv1\.3 \S+ \S+, ALPN http\/1\.1\n/);
  });

  t.test('fails on a server that it does not trust', async (t) => {
    const { code, stdout, stderr } = await startExample(t, 'https-client', [url, wrong]).ended;
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(stderr, /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/);
  });
});

t.test('the undici client', async (t) => {
  const url = await startOrigin(t);
  const { right, wrong } = await rootFiles(t);

  t.test('prints the response of a server that it trusts, over h2', async (t) => {
    const { code, stdout } = await startExample(t, 'undici-client', [url, right]).ended;
    t.equal(code, 0);
    t.equal(stdout, '200 text/plain\nasked over 2.0\n\n');
  });

  t.test('fails on a server that it does not trust', async (t) => {
    const { code, stderr } = await startExample(t, 'undici-client', [url, wrong]).ended;
    t.equal(code, 1);
    t.match(stderr, /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/);
  });
});

for (const [name, version] of [
  ['axios-client', '1.1'],
  ['got-client', '2.0'],
  ['http2-client', '2.0'],
] as const) {
  t.test(`the ${name}`, async (t) => {
    const url = await startOrigin(t);
    const { right, wrong } = await rootFiles(t);
    const good = await startExample(t, name, [url, right]).ended;
    t.equal(good.code, 0, good.stderr);
    t.equal(good.stdout, `200 text/plain\nasked over ${version}\n\n`);
    const bad = await startExample(t, name, [url, wrong]).ended;
    t.equal(bad.code, 1);
    t.match(bad.stderr, /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/);
  });
}

t.test('the websocket-client', async (t) => {
  const { key, chain: cert } = await server();
  const origin = createServer({ key, cert });
  new WebSocketServer({ server: origin }).on('connection', (socket) => {
    socket.on('message', (data: Buffer) => socket.send(`heard ${data.toString()}`));
  });
  await new Promise<void>((resolve) => origin.listen(0, 'localhost', resolve));
  t.teardown(() => origin.close());
  const url = `wss://localhost:${(origin.address() as AddressInfo).port}/`;
  const { right, wrong } = await rootFiles(t);
  const good = await startExample(t, 'websocket-client', [url, right]).ended;
  t.strictSame([good.code, good.stdout], [0, 'heard hello\n']);
  const bad = await startExample(t, 'websocket-client', [url, wrong]).ended;
  t.equal(bad.code, 1);
  t.match(bad.stderr, /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/);
});

t.test('the proxy-client', async (t) => {
  const url = await startOrigin(t);
  const proxy = await startProxy(t);
  const { right } = await rootFiles(t);
  const env = { HTTPS_PROXY: proxy.url, https_proxy: undefined, NO_PROXY: '', no_proxy: undefined };
  const { code, stdout } = await startExample(t, 'proxy-client', [url, right], { env }).ended;
  t.strictSame([code, stdout], [0, '200 text/plain\nasked over 1.1\n\n']);
  t.strictSame(
    proxy.tunnels.map(({ authority }) => authority),
    [new URL(url).host],
  );
});
