/** One import puts AWS-LC under Node's own modules, whatever the style of the program that uses them. */
import '@node-aws-lc/core/register';
import { TLSSocket, TlsStream } from '@node-aws-lc/core';
import http2 from 'node:http2';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import type tls from 'node:tls';
import path from 'node:path';
import t from 'tap';
import { run } from '../helpers/children.js';
import { readAll } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { nextEvent } from '../helpers/wait.js';

t.test('https.createServer and https.get speak through us', async (t) => {
  const { key, chain } = await pki.server();
  const ca = (await pki.root()).cert;
  const server = https.createServer({ key, cert: chain }, (request, response) => {
    response.end(`${request.url} ${request.socket instanceof TLSSocket}`);
  });
  t.teardown(() => server.close());
  await nextEvent(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const agent = new https.Agent({ keepAlive: true, ca });
  t.teardown(() => agent.destroy());
  for (const path of ['/one', '/two']) {
    const request = https.get({ host: '127.0.0.1', port, path, agent });
    const [response] = (await nextEvent(request, 'response')) as [IncomingMessage];
    t.ok(response.socket instanceof TlsStream);
    t.equal((await readAll(response as never)).toString(), `${path} true`);
  }
});

t.test('http2.createSecureServer and http2.connect speak through us', async (t) => {
  const { key, chain } = await pki.server();
  const server = http2.createSecureServer({ key, cert: chain, allowHTTP1: true });
  server.on('request', (request, response) => {
    response.end(`${request.httpVersion} ${(request.socket as tls.TLSSocket).encrypted}`);
  });
  await nextEvent(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: (await pki.root()).cert });
  t.teardown(() => {
    session.close();
    server.close();
  });
  t.equal((await readAll(session.request({ ':path': '/' }) as never)).toString(), '2.0 true');
  t.equal(session.alpnProtocol, 'h2');
  t.equal(session.encrypted, true);
});

// node:http2 by itself: an assertion fails on Node 22, on all up to 26 it may use memory that it has freed.
t.test('a request behind a GOAWAY with an error ends the session, not the process', async (t) => {
  const { key, chain } = await pki.server();
  const frames = path.join(__dirname, '..', 'helpers', 'http2-frame.js');
  const program = `
    require('@node-aws-lc/core/register');
    const http2 = require('node:http2');
    const tls = require('node:tls');
    const { frame } = require(${JSON.stringify(frames)});
    const GET = Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 0x61]);
    const server = http2.createSecureServer(${JSON.stringify({ key, cert: chain })});
    server.on('stream', (stream) => stream.on('error', () => {}).respond({}, { endStream: true }));
    server.on('sessionError', () => {});
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const options = { port, ALPNProtocols: ['h2'], rejectUnauthorized: false };
      const socket = tls.connect(options, () => socket.write(Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'),
        frame(4, 0, 0),
        frame(1, 5, 1, GET),
        frame(7, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 2])),
        frame(1, 4, 3, GET),
        frame(0, 0, 3, Buffer.alloc(100)),
      ])));
      socket.on('error', () => {}).resume();
      socket.on('close', () => { console.log('closed'); server.close(); });
    });`;
  const { code, signal, stdout } = await run(t, process.execPath, ['-e', program]);
  t.match({ code, signal, stdout }, { code: 0, signal: null, stdout: 'closed\n' });
});

t.test('the default trust is replaced for https, too', async (t) => {
  const { key, chain } = await pki.server();
  const server = https.createServer({ key, cert: chain }, (_, response) => response.end('ok'));
  t.teardown(() => server.close());
  await nextEvent(server.listen(0, '127.0.0.1'), 'listening');
  const program = `
    require('@node-aws-lc/core/register');
    const tls = require('node:tls');
    const ours = require('@node-aws-lc/core');
    // Node 20 has none of its own.
    (tls.setDefaultCACertificates ?? ours.setDefaultCACertificates)([process.env.ROOT]);
    require('node:https')
      .get({ port: process.argv[1], host: '127.0.0.1', servername: 'localhost', agent: false })
      .on('response', (response) => console.log(response.socket instanceof ours.TLSSocket, response.statusCode));
  `;
  const { port } = server.address() as net.AddressInfo;
  const env = { ROOT: (await pki.root()).cert };
  const ended = await run(t, process.execPath, ['-e', program, String(port)], { env });
  t.equal(ended.stdout.trim(), 'true 200', ended.stderr);
});

t.test('named imports of an ES module are ours too', async (t) => {
  const program = `
    import '@node-aws-lc/core/register';
    import { TLSSocket } from '@node-aws-lc/core';
    import { connect, createServer } from 'node:tls';
    import tls from 'node:tls';
    const socket = new tls.TLSSocket();
    console.log(socket instanceof TLSSocket, connect === tls.connect, createServer === tls.createServer);
  `;
  const { stdout } = await run(t, process.execPath, ['--input-type=module', '-e', program]);
  t.equal(stdout.trim(), 'true true true');
});
