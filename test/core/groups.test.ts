/** Key-exchange groups, the post-quantum hybrids among them. */
import t from 'tap';
import tls from 'node:tls';
import { connected, failedHandshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { nextEvent } from '../helpers/wait.js';

const classic = ['X25519', 'P-256', 'P-384', 'P-521'];
const hybrids = ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024'];

t.test('two defaults agree on X25519MLKEM768', async (t) => {
  const { client, server } = await connected(t);
  t.equal(client.negotiated.group, 'X25519MLKEM768');
  t.equal(server.negotiated.group, 'X25519MLKEM768');
});

for (const group of [...hybrids, ...classic]) {
  t.test(`both ends pinned to ${group}`, async (t) => {
    const groups = [group];
    const { client, server } = await connected(t, { server: { groups }, client: { groups } });
    t.equal(client.negotiated.group, group);
    t.equal(server.negotiated.group, group);
    t.equal(await sent(client, server, 'there'), 'there');
  });
}

t.test(
  'a group that the client sent no share for costs a second hello, not the connection',
  async (t) => {
    const { client } = await connected(t, {
      server: { groups: ['P-384'] },
      client: { groups: ['X25519MLKEM768', 'X25519', 'P-384'] },
    });
    t.equal(client.negotiated.group, 'P-384');
  },
);

for (const group of classic) {
  t.test(`${group} in TLS 1.2`, async (t) => {
    // An elliptic certificate would have to lie on one of the client's groups (RFC 8422, 5.1.1).
    const { key, chain: cert } = await pki.serverRsa();
    const { client, server } = await connected(t, {
      server: { key, cert, groups: [group], maxVersion: 'TLSv1.2' },
      client: { groups: [...hybrids, group] },
    });
    t.match(client.negotiated, { group, protocol: 'TLSv1.2' });
    t.equal(server.negotiated.group, group);
  });
}

t.test('no group in common is the alert handshake_failure', async (t) => {
  const { client, server } = await failedHandshake(t, {
    server: { groups: ['X25519MLKEM768'] },
    client: { groups: ['X25519'] },
  });
  t.equal(server.side, 'server');
  t.match(server.alert, { direction: 'sent', code: 40 });
  t.equal(client.code, 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
  t.match(client.alert, { direction: 'received', code: 40 });
});

t.test("node:tls's ecdhCurve is understood with OpenSSL's names", async (t) => {
  const names: [string, string][] = [
    ['prime256v1', 'P-256'],
    ['secp384r1', 'P-384'],
    ['P-521', 'P-521'],
    ['X25519:secp521r1', 'X25519'],
    ['auto', 'X25519MLKEM768'],
  ];
  for (const [ecdhCurve, group] of names) {
    const server = { groups: ['X25519MLKEM768', ...classic] };
    const { client } = await connected(t, { server, client: { ecdhCurve } });
    t.equal(client.negotiated.group, group, ecdhCurve);
  }
});

t.test('a client that only knows classic groups is served', async (t) => {
  const server = await tlsServer(t);
  const ca = (await pki.root()).cert;
  const groups = { X25519: 'X25519', prime256v1: 'P-256' };
  for (const [index, [ecdhCurve, group]] of Object.entries(groups).entries()) {
    const socket = tls.connect({ port: server.port, host: 'localhost', ca, ecdhCurve });
    t.teardown(() => socket.destroy());
    await nextEvent(socket, 'secureConnect');
    const stream = await server.accepted(index + 1);
    t.equal(stream.negotiated.group, group);
  }
});
