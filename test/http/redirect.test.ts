import t, { type Test } from 'tap';
import type { RemotePrivateKey } from '@node-aws-lc/core';
import type { AwsLcTlsOptions } from '@node-aws-lc/fastify-plugin';
import http from 'node:http';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { eachForm, makeApp, type Form } from '../fastify-plugin/app.js';
import { rawTcp, untilClosed } from '../fastify-plugin/clients.js';
import * as pki from '../helpers/pki.js';
import { nextError, nextEvent, rejection, within } from '../helpers/wait.js';

async function redirecting(
  t: Test,
  form: Form,
  redirectHttp: Partial<AwsLcTlsOptions['redirectHttp']> = {},
): Promise<{ app: Awaited<ReturnType<typeof makeApp>>; port: number; httpsPort: number }> {
  const { key, chain } = await pki.serverFor(
    ['dns:localhost', 'dns:*.example.com', 'ip:127.0.0.1', 'ip:::1'],
    'localhost',
  );
  const app = await makeApp(t, {
    form,
    tls: { key, cert: chain, redirectHttp: { port: 0, ...redirectHttp } },
  });
  app.all('/*', async () => 'secret');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const httpsPort = (app.server.address() as AddressInfo).port;
  return { app, port: app.tls.redirectAddresses()[0]!.port, httpsPort };
}

async function ask(port: number, path: string, host?: string, method = 'GET') {
  const headers = host === undefined ? {} : { host };
  const request = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  request.end(method === 'POST' ? 'password=1' : undefined);
  const [response] = (await nextEvent(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  const { statusCode: status, headers: answered } = response;
  return { status, location: answered.location, connection: answered.connection, body };
}

eachForm(t, 'redirectHttp sends to the same path over https, and closes', async (t, form) => {
  const { port, httpsPort } = await redirecting(t, form);
  const expected = { status: 308, connection: 'close', body: '' };
  t.match(await ask(port, '/a/b?c=d', `localhost:${port}`), {
    ...expected,
    location: `https://localhost:${httpsPort}/a/b?c=d`,
  });
  t.match(await ask(port, '/form', 'localhost', 'POST'), {
    ...expected,
    location: `https://localhost:${httpsPort}/form`,
  });
  t.match(await ask(port, '/', 'www.EXAMPLE.com'), {
    ...expected,
    location: `https://www.example.com:${httpsPort}/`,
  });
  t.match(await ask(port, '/', '[::1]'), { ...expected, location: `https://[::1]:${httpsPort}/` });
});

t.test('a name is one of the certificate where the private key lives elsewhere, too', async (t) => {
  const { chain: cert } = await pki.server();
  const privateKey: RemotePrivateKey = {
    algorithms: ['ecdsa_secp256r1_sha256'],
    sign: () => Promise.reject(new Error('nobody asks')),
  };
  const app = await makeApp(t, {
    tls: { key: undefined, privateKey, cert, redirectHttp: { port: 0 } },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.tls.redirectAddresses()[0]!;
  t.match(await ask(port, '/', 'localhost'), { status: 308 });
  t.match(await ask(port, '/', 'other.test'), { status: 400 });
});

t.test('httpsPort and hosts say where to, 443 goes without saying', async (t) => {
  const { port } = await redirecting(t, 'plugin', { httpsPort: 443, hosts: ['shop.test'] });
  t.match(await ask(port, '/x', 'shop.test:8080'), { location: 'https://shop.test/x' });
  t.match(await ask(port, '/x', 'localhost'), { status: 400, location: undefined });
});

t.test('nobody is redirected to a name that is not ours', async (t) => {
  const { port, httpsPort } = await redirecting(t, 'plugin');
  for (const host of [
    'evil.test',
    'localhost.evil.test',
    'localhost@evil.test',
    'evil.test#localhost',
    'localhost/..//evil.test',
    'localhost:80@evil.test',
    'localhost:8a',
    '127.0.0.2',
    '[::2]',
  ]) {
    const { status, location } = await ask(port, '/', host);
    t.same({ status, location }, { status: 400, location: undefined }, JSON.stringify(host));
  }
  t.match(await ask(port, '//evil.test/x', 'localhost'), {
    location: `https://localhost:${httpsPort}//evil.test/x`,
  });

  const raw = async (text: string): Promise<string> => {
    const socket = await rawTcp(t, port);
    socket.write(text);
    return String(await untilClosed(socket));
  };
  t.match(
    await raw('GET http://evil.test/x?y HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    new RegExp(`location: https://localhost:${httpsPort}/x\\?y\r\n`, 'i'),
    'the host of an absolute target does not count',
  );
  for (const text of [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n',
    'GET / HTTP/1.0\r\n\r\n',
  ]) {
    t.notMatch(await raw(text), /location|secret/i, JSON.stringify(text));
  }
});

t.test('a client that never asks is not waited for', async (t) => {
  const { port } = await redirecting(t, 'plugin');
  const socket = await rawTcp(t, port);
  const started = Date.now();
  await untilClosed(socket);
  t.ok(Date.now() - started < 12_000);
});

eachForm(t, 'the redirects are closed with the application', async (t, form) => {
  const { app, port } = await redirecting(t, form);
  const idle = await rawTcp(t, port);
  const closed = untilClosed(idle);
  await within('close()', app.close(), 3000);
  await closed;
  t.same(app.tls.redirectAddresses(), []);
  const late = createConnection(port, '127.0.0.1');
  t.match(await nextError(late), { code: 'ECONNREFUSED' }, 'nobody listens');
});

eachForm(t, 'listen() rejects where the port of redirectHttp is taken', async (t, form) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await nextEvent(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const app = await makeApp(t, { form, tls: { redirectHttp: { port } } });
  t.match(await rejection(app.listen({ port: 0, host: '127.0.0.1' })), { code: 'EADDRINUSE' });
  t.notOk(app.server.listening);
});
