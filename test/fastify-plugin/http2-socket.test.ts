import t from 'tap';
import { http2Socket } from '@node-aws-lc/core';
import http2 from 'node:http2';
import type { TLSSocket } from 'node:tls';
import * as pki from '../helpers/pki.js';
import { connected } from '../helpers/handshake.js';
import { nextEvent } from '../helpers/wait.js';

t.test('an h2 session over a TLS stream tells the truth, on both ends', async (t) => {
  const identity = await pki.client();
  const ends = await connected(t, {
    server: {
      alpnProtocols: ['h2'],
      clientAuth: 'required',
      ca: (await pki.clientRoot()).cert,
    },
    client: { alpnProtocols: ['h2'], key: identity.key, cert: identity.chain },
  });

  const server = http2.createServer();
  const served = nextEvent(server, 'session');
  server.on('stream', (stream) => stream.end('hello'));
  server.emit('connection', http2Socket(ends.server));
  const [serverSession] = (await served) as [http2.ServerHttp2Session];
  const clientSession = http2.connect('https://localhost', {
    createConnection: () => http2Socket(ends.client),
  });
  t.teardown(() => clientSession.destroy());
  await nextEvent(clientSession, 'connect');

  for (const session of [serverSession, clientSession]) {
    t.equal(session.encrypted, true);
    t.equal(session.alpnProtocol, 'h2');
    const socket = session.socket as TLSSocket;
    t.equal(socket.remoteAddress, '127.0.0.1');
    t.equal(socket.remoteFamily, 'IPv4');
    t.type(socket.remotePort, 'number');
    t.equal(socket.authorized, true);
    t.ok(socket.getPeerCertificate().subject);
    t.equal(socket.getProtocol(), 'TLSv1.3');
    t.same(
      socket.address(),
      session === serverSession ? ends.server.address() : ends.client.address(),
    );
  }
  t.same(clientSession.originSet?.length, 1);
  t.match((serverSession.socket as TLSSocket).getPeerCertificate().subject, { CN: 'Test Client' });

  const stream = clientSession.request({ ':path': '/' });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  t.equal(text, 'hello');

  const closed = Promise.all([nextEvent(ends.client, 'close'), nextEvent(ends.server, 'close')]);
  clientSession.close();
  await closed;
});

t.test('destroying the session destroys the stream, and the other way round', async (t) => {
  for (const which of ['session', 'stream'] as const) {
    const ends = await connected(t, {
      server: { alpnProtocols: ['h2'] },
      client: { alpnProtocols: ['h2'] },
    });
    const session = http2.connect('https://localhost', {
      createConnection: () => http2Socket(ends.client),
    });
    ends.server.on('error', () => {}).resume();
    session.on('error', () => {});
    await nextEvent(session, 'connect');
    const other = which === 'session' ? ends.client : session;
    const closed = nextEvent(other, 'close');
    (which === 'session' ? session : ends.client).destroy();
    await closed;
    t.pass(`${which} destroyed`);
  }
});

t.test(
  'a stream that fails after the session has closed its sending side harms nobody',
  async (t) => {
    const ends = await connected(t, {
      server: { alpnProtocols: ['h2'] },
      client: { alpnProtocols: ['h2'] },
    });
    ends.client.on('error', () => {}).resume();
    const server = http2.createServer();
    const failed = nextEvent(server, 'sessionError');
    server.emit('connection', http2Socket(ends.server));
    ends.server.once('end', () => {
      // The session answers the end with its own, and is still waiting for it to have left.
      process.nextTick(() => ends.server.destroy(new Error('reset')));
    });
    ends.client.end();
    t.match(await failed, [{ message: 'reset' }]);
  },
);
