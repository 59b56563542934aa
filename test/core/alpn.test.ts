/** Application-layer protocol negotiation (RFC 7301). */
import t from 'tap';
import { connected, failedHandshake } from '../helpers/handshake.js';
import { tlsServer } from '../helpers/server.js';
import * as pki from '../helpers/pki.js';
import tls from 'node:tls';
import { nextEvent } from '../helpers/wait.js';

t.test('the first protocol of the server that the client offers is chosen', async (t) => {
  const { client, server } = await connected(t, {
    server: { ALPNProtocols: ['spdy/9', 'http/1.1', 'h2'] },
    client: { ALPNProtocols: ['h2', 'http/1.1'] },
  });
  for (const end of [client, server]) {
    t.equal(end.negotiated.alpn, 'http/1.1');
    t.equal(end.alpnProtocol, 'http/1.1');
  }
});

t.test('no overlap is the fatal alert no_application_protocol', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { client, server } = await failedHandshake(t, {
      server: { ALPNProtocols: ['h2'], maxVersion },
      client: { ALPNProtocols: ['http/1.1'] },
    });
    t.match(server, {
      code: 'ERR_SSL_NO_APPLICATION_PROTOCOL',
      side: 'server',
      alert: { direction: 'sent', code: 120 },
    });
    t.match(client, {
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      side: 'client',
      alert: { direction: 'received', code: 120 },
    });
  }
});

t.test('without an offer, or without a list of the server, nothing is negotiated', async (t) => {
  const setups = [{ server: { ALPNProtocols: ['h2'] } }, { client: { ALPNProtocols: ['h2'] } }, {}];
  for (const setup of setups) {
    const { client, server } = await connected(t, setup);
    for (const end of [client, server]) {
      t.equal(end.negotiated.alpn, null);
      t.equal(end.alpnProtocol, false, "node:tls's word for none");
    }
  }
});

t.test('alpnProtocols is the same option, and a Buffer in wire format is accepted', async (t) => {
  const { client, server } = await connected(t, {
    server: { alpnProtocols: ['h2', 'http/1.1'] },
    client: { ALPNProtocols: Buffer.from('\x08http/1.1\x02h2', 'latin1') },
  });
  t.equal(client.negotiated.alpn, 'h2');
  t.equal(server.negotiated.alpn, 'h2');
});

t.test('a client of node:tls gets its protocol', async (t) => {
  const server = await tlsServer(t, { ALPNProtocols: ['h2', 'http/1.1'] });
  const { port } = server;
  const ca = (await pki.root()).cert;
  const socket = tls.connect({ port, ca, host: 'localhost', ALPNProtocols: ['http/1.1', 'h2'] });
  t.teardown(() => socket.destroy());
  await nextEvent(socket, 'secureConnect');
  t.equal(socket.alpnProtocol, 'h2');
  t.equal((await server.accepted()).alpnProtocol, 'h2');
});
