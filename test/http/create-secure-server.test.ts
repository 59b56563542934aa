import t, { type Test } from 'tap';
import {
  createSecureServer,
  type RequestListener,
  type SecureServer,
  type SecureServerOptions,
} from '@node-aws-lc/core';
import http from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { nextEvent, thrown, within } from '../helpers/wait.js';
import { h1, h2, h2Session, rawTls, untilClosed } from '../fastify-plugin/clients.js';

async function serve(
  t: Test,
  listener: RequestListener,
  options: Partial<SecureServerOptions> = {},
): Promise<{ server: SecureServer; port: number }> {
  const server = createSecureServer({ ...(await serverOptions()), ...options } as object, listener);
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

t.test('HTTP/1.1 and h2 come out as requests of one http.Server', async (t) => {
  const { server, port } = await serve(t, (request, response) => {
    const socket = request.socket as TLSSocket;
    const { httpVersion, url, headers } = request;
    const { encrypted, remoteAddress, alpnProtocol } = socket;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        httpVersion,
        url,
        host: headers.host,
        encrypted,
        remoteAddress,
        alpnProtocol,
        protocol: socket.getProtocol(),
      }),
    );
  });
  t.ok(server instanceof http.Server);
  const host = `127.0.0.1:${port}`;
  const both = { url: '/a?b', encrypted: true, remoteAddress: '127.0.0.1', protocol: 'TLSv1.3' };
  const overH1 = await h1(port, '/a?b', { ALPNProtocols: ['http/1.1'] });
  t.match(JSON.parse(overH1.body), { ...both, httpVersion: '1.1', host, alpnProtocol: 'http/1.1' });
  const overH2 = await h2(await h2Session(t, port), '/a?b');
  t.match(JSON.parse(overH2.body), {
    ...both,
    httpVersion: '2.0',
    host: `localhost:${port}`,
    alpnProtocol: 'h2',
  });
  t.match(server.stats(), { handshakes: 2, negotiated: { alpn: { h2: 1, 'http/1.1': 1 } } });
});

t.test('a listener added later is asked too', async (t) => {
  const { server, port } = await serve(t, () => {});
  server.removeAllListeners('request');
  server.on('request', (_request, response) => response.end('later'));
  t.equal((await h1(port)).body, 'later');
  t.equal((await h2(await h2Session(t, port))).body, 'later');
});

t.test('options of http.createServer() and of http2.createServer() are obeyed', async (t) => {
  const { port } = await serve(t, (_request, response) => response.end('ok'), {
    maxHeaderSize: 1024,
    http2: { settings: { maxConcurrentStreams: 7 } },
  });
  t.match(await h1(port, '/', { headers: { long: 'x'.repeat(2000) } }), { status: 431 });
  const session = await h2Session(t, port);
  await h2(session);
  t.equal(session.remoteSettings.maxConcurrentStreams, 7);
});

t.test('request bodies and trailers arrive on both protocols', async (t) => {
  const { port } = await serve(t, (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      response.setHeader('trailer', 'x-length');
      response.write(text);
      response.addTrailers({ 'x-length': String(text.length) });
      response.end();
    });
  });
  const body = 'body '.repeat(50_000);
  t.equal((await h1(port, '/', { method: 'POST', body })).body, body);
  const session = await h2Session(t, port);
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  const trailers = nextEvent(stream, 'trailers');
  stream.end(body);
  let received = '';
  for await (const chunk of stream) received += String(chunk);
  t.equal(received, body);
  t.match(await trailers, [{ 'x-length': String(body.length) }]);
});

t.test('what cannot be served is refused when the server is made', async (t) => {
  const options = (await serverOptions()) as SecureServerOptions;
  const codeOf = (extra: object): string | undefined =>
    thrown(() => createSecureServer({ ...options, ...extra })).code;
  t.match(codeOf({ key: 'no key' }), /^ERR_AWS_LC_CONFIG_/);
  t.equal(codeOf({ alpnProtocols: ['h3'] }), 'ERR_AWS_LC_CONFIG_ALPN');
  t.equal(codeOf({ closeGracePeriod: -1 }), 'ERR_AWS_LC_CONFIG_TYPE');
  t.equal(codeOf({ handshakeLimits: { pending: 0 } }), 'ERR_AWS_LC_CONFIG_TYPE');
  t.equal(codeOf({ redirectHttp: { port: 'http' } }), 'ERR_AWS_LC_CONFIG_TYPE');
});

t.test('setSecureContext() changes the certificate for new connections', async (t) => {
  const { server, port } = await serve(t, (_request, response) => response.end());
  const renewed = await pki.serverFor(['dns:localhost'], 'renewed');
  server.setSecureContext({ key: renewed.key, cert: renewed.chain });
  t.match((await rawTls(t, port)).getPeerCertificate().subject, { CN: 'renewed' });
});

t.test("'secureConnection', 'upgrade' and 'clientError' are events of the server", async (t) => {
  const { server, port } = await serve(t, () => {});
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  );
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 418 \r\n\r\n'));
  const connected = nextEvent(server, 'secureConnection');
  const upgraded = await rawTls(t, port);
  upgraded.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  t.match(String(await untilClosed(upgraded)), /^HTTP\/1\.1 101 /);
  t.match(await connected, [{ encrypted: true }]);
  const wrong = await rawTls(t, port);
  wrong.write('no http\r\n\r\n');
  t.match(String(await untilClosed(wrong)), /^HTTP\/1\.1 418 /);
});

t.test(
  'close() finishes requests and ends what is idle, and the server can listen again',
  async (t) => {
    const { server, port } = await serve(t, (_request, response) => {
      setTimeout(() => response.end('finished'), 100);
    });
    const session = await h2Session(t, port);
    await h2(session);
    const idle = untilClosed(await rawTls(t, port));
    const answers = Promise.all([h1(port), h2(session)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await within('close()', new Promise((resolve) => server.close(resolve)), 3000);
    t.strictSame(
      (await answers).map(({ body }) => body),
      ['finished', 'finished'],
    );
    await idle;

    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const { headers } = await h1(port, '/', { agent });
    t.equal(headers.connection, 'keep-alive');
    t.equal((await h2(await h2Session(t, port))).body, 'finished');
  },
);

t.test('closeAllConnections() ends what is open, and the server goes on serving', async (t) => {
  const { server, port } = await serve(t, (_request, response) => response.end('ok'));
  const session = await h2Session(t, port);
  await h2(session);
  const ends = [nextEvent(session, 'close'), untilClosed(await rawTls(t, port))];
  server.closeAllConnections();
  await within('the connections to end', Promise.all(ends), 3000);
  t.equal((await h1(port)).body, 'ok');
  t.equal((await h2(await h2Session(t, port))).body, 'ok');
});
