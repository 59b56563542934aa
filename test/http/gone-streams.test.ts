/** Requests over h2 that are passed on when their stream is gone already, as node:http2 does under load. */
import t from 'tap';
import { createSecureServer, type SecureServerOptions } from '@node-aws-lc/core';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverOptions } from '../helpers/handshake.js';
import { eventually, nextEvent } from '../helpers/wait.js';
import { h1, h2Session } from '../fastify-plugin/clients.js';

/** Servers of node:http2 that pass nothing on before its stream has been destroyed. */
function late(createServer: typeof http2.createServer): typeof http2.createServer {
  return ((...args: Parameters<typeof http2.createServer>) => {
    const server = createServer(...args);
    const emit = server.emit.bind(server) as (...args: unknown[]) => boolean;
    server.emit = (name: string | symbol, ...args: unknown[]): boolean => {
      if (name !== 'request' && name !== 'checkContinue') return emit(name, ...args);
      const [{ stream }] = args as [http2.Http2ServerRequest];
      stream.once('close', () => setImmediate(() => emit(name, ...args)));
      stream.destroy();
      return true;
    };
    return server;
  }) as typeof http2.createServer;
}

t.test('such a request is the end of nothing but itself', async (t) => {
  const { createServer } = http2;
  http2.createServer = late(createServer);
  t.teardown(() => (http2.createServer = createServer));
  let requests = 0;
  const limits = { requestTimeout: 200, headersTimeout: 100 };
  const options = { ...(await serverOptions()), ...limits } as SecureServerOptions;
  const server = createSecureServer(options, ({ httpVersionMajor }, response) => {
    if (httpVersionMajor === 2) requests++;
    response.end('ok');
  });
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const session = await h2Session(t, port);
  for (const headers of [{}, { expect: '100-continue' }]) {
    const stream = session.request({ ':path': '/', ':method': 'POST', ...headers });
    stream.on('error', () => {});
  }
  await eventually('both requests', () => requests === 2);
  await sleep(2 * limits.requestTimeout);
  t.equal((await h1(port)).body, 'ok');
});
