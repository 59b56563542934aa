/** Plain node:http over the streams of the library: the heaviest user of a socket's surface. */
import {
  ClientConfig,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import t, { type Test } from 'tap';
import { clientOptions, readAll, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { listener } from '../helpers/transports.js';
import { nextEvent } from '../helpers/wait.js';

/** An HTTP/1.1 service over TLS; each stream goes to an http.Server that never listens. */
async function service(t: Test, handler: http.RequestListener, timeouts: http.ServerOptions = {}) {
  const server = http.createServer(timeouts, handler);
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const streams: TlsStream[] = [];
  const { port } = await listener(t, (socket) => {
    void acceptor.accept(socket).then((stream) => {
      streams.push(stream);
      server.emit('connection', stream);
    });
  });
  t.teardown(() => streams.forEach((stream) => stream.destroy()));
  return { port, server, streams };
}

async function connect(port: number): Promise<TlsStream> {
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  return connector.connect('localhost', net.connect(port, '127.0.0.1'));
}

/** One request over a stream of ours or over node:https, and its answer. */
async function ask(
  options: https.RequestOptions,
  body?: Buffer,
): Promise<{ response: http.IncomingMessage; text: string }> {
  const client = options.createConnection ? http : https;
  const request = client.request(options);
  request.end(body);
  const [response] = (await nextEvent(request, 'response')) as [http.IncomingMessage];
  return { response, text: (await readAll(response as never)).toString() };
}

t.test('requests of node:https are answered, several on one connection', async (t) => {
  const { port, streams } = await service(t, (request, response) => {
    response.end(`${request.method} ${request.url}`);
  });
  const ca = (await pki.root()).cert;
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (const path of ['/one', '/two', '/three']) {
    const { text } = await ask({ host: 'localhost', port, ca, path, agent });
    t.equal(text, `GET ${path}`);
  }
  t.equal(streams.length, 1, 'one connection served them all');
});

t.test('node:http makes its requests over a stream of ours', async (t) => {
  const { port } = await service(t, (_request, response) => response.end('hello'));
  const stream = await connect(port);
  const { response, text } = await ask({ createConnection: () => stream });
  t.equal(response.statusCode, 200);
  t.equal(text, 'hello');
});

t.test('an agent with keep-alive reuses a stream of ours', async (t) => {
  const { port, streams } = await service(t, (_request, response) => response.end('hello'));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const stream = await connect(port);
  let made = 0;
  const createConnection = () => {
    made++;
    return stream;
  };
  Object.assign(agent, { createConnection });
  for (let i = 0; i < 3; i++) {
    const { text } = await new Promise<{ text: string }>((resolve, reject) => {
      const request = http.get({ agent, host: 'localhost', port }, (response) => {
        void readAll(response as never).then((all) => resolve({ text: all.toString() }), reject);
      });
      request.on('error', reject);
    });
    t.equal(text, 'hello');
  }
  t.equal(made, 1);
  t.equal(streams.length, 1);
});

t.test('large bodies in both directions', async (t) => {
  const { port } = await service(t, (request, response) => request.pipe(response));
  const ca = (await pki.root()).cert;
  const body = Buffer.alloc(4_000_000, 'body ');
  const options = { host: 'localhost', port, ca, method: 'POST', agent: false };
  const { text } = await ask(options, body);
  t.equal(text, body.toString());
});

t.test('a chunked answer arrives chunk by chunk', async (t) => {
  const { port } = await service(t, (_request, response) => {
    response.write('first');
    setTimeout(() => response.end('second'), 100);
  });
  const ca = (await pki.root()).cert;
  const request = https.get({ host: 'localhost', port, ca, agent: false });
  const [response] = (await nextEvent(request, 'response')) as [http.IncomingMessage];
  const [chunk] = await nextEvent(response, 'data');
  t.equal(String(chunk), 'first', 'before the second was written');
  response.resume();
  await nextEvent(response, 'end');
});

t.test('an idle connection is closed by keepAliveTimeout', async (t) => {
  const handler: http.RequestListener = (_request, response) => response.end('hello');
  const { port, server } = await service(t, handler, { keepAliveTimeout: 100 });
  t.equal(server.keepAliveTimeout, 100);
  const stream = await connect(port);
  stream.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const start = Date.now();
  t.match((await readAll(stream)).toString(), /hello$/);
  t.ok(stream.closeNotifyReceived, 'with a close_notify');
  t.ok(Date.now() - start < 4000);
});

t.test('an upgrade hands the stream over', async (t) => {
  const { port, server } = await service(t, () => t.fail('no request'));
  server.on('upgrade', (_request, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    socket.pipe(socket);
  });
  const stream = await connect(port);
  const request = http.request({
    createConnection: () => stream,
    headers: { Connection: 'upgrade', Upgrade: 'echo' },
  });
  request.end();
  const [, socket] = (await nextEvent(request, 'upgrade')) as [unknown, TlsStream];
  t.equal(socket, stream);
  socket.write('over to you');
  const [echo] = await nextEvent(socket, 'data');
  t.equal(String(echo), 'over to you');
});

t.test('a client that sends nonsense inside TLS gets a 400 inside TLS', async (t) => {
  const { port } = await service(t, () => t.fail('no request'));
  const stream = await connect(port);
  stream.write('nonsense\r\n\r\n');
  t.match((await readAll(stream)).toString(), /^HTTP\/1\.1 400 /);
});
