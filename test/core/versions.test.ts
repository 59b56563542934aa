/** Protocol versions: what is offered by default, and what a range lets through. */
import t from 'tap';
import tls from 'node:tls';
import { connected, failedHandshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { nextError } from '../helpers/wait.js';

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

t.test('TLS 1.3 is what two defaults speak', async (t) => {
  const { client, server } = await connected(t);
  for (const end of [client, server]) {
    t.equal(end.negotiated.protocol, 'TLSv1.3');
    t.equal(end.getProtocol(), 'TLSv1.3');
  }
});

for (const version of versions) {
  t.test(`both ends pinned to ${version}`, async (t) => {
    const range = { minVersion: version, maxVersion: version };
    const { client, server } = await connected(t, { server: range, client: range });
    t.equal(client.negotiated.protocol, version);
    t.equal(server.negotiated.protocol, version);
    t.equal(await sent(client, server, 'there'), 'there');
    t.equal(await sent(server, client, 'and back'), 'and back');
  });

  t.test(`one end pinned to ${version} takes the other along`, async (t) => {
    const open = { minVersion: 'TLSv1', maxVersion: 'TLSv1.3' } as const;
    const pinned = { minVersion: version, maxVersion: version };
    const one = await connected(t, { server: pinned, client: open });
    const other = await connected(t, { server: open, client: pinned });
    t.equal(one.client.negotiated.protocol, version);
    t.equal(other.client.negotiated.protocol, version);
  });
}

t.test('ranges that do not meet are the alert protocol_version', async (t) => {
  const { client, server } = await failedHandshake(t, {
    server: { minVersion: 'TLSv1.3' },
    client: { maxVersion: 'TLSv1.2' },
  });
  t.match(server, {
    code: 'ERR_SSL_UNSUPPORTED_PROTOCOL',
    side: 'server',
    alert: { direction: 'sent', code: 70 },
  });
  t.match(client, {
    code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    side: 'client',
    alert: { direction: 'received', code: 70 },
  });
});

t.test('a server that is older than the client allows is refused by the client', async (t) => {
  const { client, server } = await failedHandshake(t, {
    server: { maxVersion: 'TLSv1.2' },
    client: { minVersion: 'TLSv1.3' },
  });
  t.equal(server.code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
  t.match(client, { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', side: 'client' });
});

t.test('TLS 1.1 is refused unless it was asked for', async (t) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
  const asServer = await failedHandshake(t, { client: old });
  t.equal(asServer.server.code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
  const asClient = await failedHandshake(t, { server: old });
  t.match(asClient.client, { side: 'client' });

  const server = await tlsServer(t);
  const ca = (await pki.root()).cert;
  const ciphers = 'DEFAULT@SECLEVEL=0';
  const socket = tls.connect({ port: server.port, host: 'localhost', ca, ciphers, ...old });
  t.teardown(() => socket.destroy());
  await nextError(socket);
  t.equal((await server.failed()).code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
});
