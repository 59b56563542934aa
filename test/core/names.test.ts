/** Which names a certificate is good for (RFC 9525), as node:tls judges them. */
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import t, { type Test } from 'tap';
import { connected, failedHandshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { duplexes } from '../helpers/transports.js';
import { type CodedError, rejection } from '../helpers/wait.js';

async function accepts(t: Test, names: string[], serverName: string): Promise<void> {
  const { key, chain: cert } = await pki.serverFor(names);
  const { client } = await connected(t, { server: { key, cert }, serverName });
  t.equal(client.authorized, true);
}

async function refuses(t: Test, names: string[], serverName: string): Promise<CodedError> {
  const { key, chain: cert } = await pki.serverFor(names);
  const { client, server } = await failedHandshake(t, { server: { key, cert }, serverName });
  t.match(client, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', side: 'client' });
  t.match(client.alert, { direction: 'sent' }, 'the server is told');
  t.match(server.alert, { direction: 'received' });
  return client;
}

t.test('a name among the alternative names', async (t) => {
  await accepts(t, ['dns:first.test', 'dns:second.test'], 'second.test');
  await accepts(t, ['dns:Example.Test'], 'eXAMPLE.tEST');
});

t.test('a wrong host name', async (t) => {
  const error = await refuses(t, ['dns:localhost'], 'example.test');
  t.match(error, { host: 'example.test', reason: /example\.test/ });
  t.match((error as { cert?: unknown }).cert, { subjectaltname: 'DNS:localhost' });
});

t.test('wildcards stand for one label, the leftmost', async (t) => {
  const names = ['dns:*.example.test'];
  await accepts(t, names, 'www.example.test');
  await refuses(t, names, 'example.test');
  await refuses(t, names, 'a.b.example.test');
  await refuses(t, ['dns:www.*.test'], 'www.example.test');
  await refuses(t, ['dns:*'], 'localhost');
});

t.test('the common name counts where there is no alternative name', async (t) => {
  const { key, cert } = await pki.commonNameServer();
  const server = { key, cert };
  const { client } = await connected(t, { server, serverName: 'cn.example.test' });
  t.equal(client.authorized, true);
  const refused = await failedHandshake(t, { server, serverName: 'other.example.test' });
  t.equal(refused.client.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

t.test('the common name does not count beside an alternative name', async (t) => {
  const { key, cert } = await pki.serverFor(['dns:other.test'], 'cn.example.test');
  const server = { key, cert };
  const { client } = await failedHandshake(t, { server, serverName: 'cn.example.test' });
  t.equal(client.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

t.test(
  'an IP literal with a matching alternative name, and no server name on the wire',
  async (t) => {
    for (const serverName of ['127.0.0.1', '::1']) {
      const { client, server } = await connected(t, { serverName });
      t.equal(client.authorized, true);
      t.equal(server.negotiated.serverName, null);
      t.equal(server.servername, false, "node:tls's word for none");
    }
    await accepts(t, ['ip:2001:db8::1'], '2001:DB8:0:0:0:0:0:1');
  },
);

t.test('an IP literal without a matching alternative name', async (t) => {
  await refuses(t, ['ip:127.0.0.1'], '127.0.0.2');
  await refuses(t, ['ip:127.0.0.1'], '::1');
  await refuses(t, ['dns:localhost'], '127.0.0.1');
  await refuses(t, ['dns:127.0.0.1'], '127.0.0.1');
});

t.test('an IP literal never matches a common name', async (t) => {
  const { key, cert } = await pki.serverFor(['dns:localhost'], '127.0.0.1');
  const { client } = await failedHandshake(t, { server: { key, cert }, serverName: '127.0.0.1' });
  t.equal(client.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

t.test('a certificate whose name holds a NUL is good for neither half', async (t) => {
  await refuses(t, ['dns:localhost\0.evil.test'], 'localhost');
  await refuses(t, ['dns:evil.test\0localhost'], 'localhost');
});

t.test('an empty server name and a name with NUL are refused before a byte is sent', async (t) => {
  const connector = new TlsConnector(new ClientConfig());
  for (const name of ['', 'localhost\0', 'local\0host', '\0']) {
    const { client, server } = duplexes(t);
    const error = await rejection(connector.connect(name, client));
    t.equal(error.code, 'ERR_AWS_LC_CONFIG_SERVER_NAME');
    t.equal(server.read(), null, 'nothing was sent');
    t.ok(client.destroyed, 'the transport is not left behind');
  }
  for (const name of [undefined, null, 42] as never[]) {
    const { client } = duplexes(t);
    t.match(await rejection(connector.connect(name, client)), { code: /^ERR_/ });
  }
});

t.test('the server sees the name that the client asked for', async (t) => {
  const { client, server } = await connected(t, { serverName: 'example.test' });
  t.equal(server.negotiated.serverName, 'example.test');
  t.equal(server.servername, 'example.test');
  t.equal(client.negotiated.serverName, 'example.test');
});

t.test('servername in the configuration replaces the name given to connect', async (t) => {
  const { client, server } = await connected(t, {
    client: { servername: 'example.test' },
    serverName: 'elsewhere.test',
  });
  t.equal(client.authorized, true);
  t.equal(server.negotiated.serverName, 'example.test');
});

t.test('a wrong name with verification disabled connects unauthorized', async (t) => {
  const { client, server } = await connected(t, {
    client: { rejectUnauthorized: false },
    serverName: 'wrong.test',
  });
  t.equal(client.authorized, false);
  t.match(String(client.authorizationError), 'ERR_TLS_CERT_ALTNAME_INVALID');
  t.equal(await sent(client, server, 'there'), 'there');
});

t.test('checkServerIdentity replaces the check and its error is the refusal', async (t) => {
  const asked: string[] = [];
  const { client } = await connected(t, {
    client: {
      checkServerIdentity(host, certificate) {
        asked.push(host, String(certificate.subject.CN));
        return undefined;
      },
    },
    serverName: 'wrong.test',
  });
  t.equal(client.authorized, true);
  t.same(asked, ['wrong.test', 'localhost']);

  const refusal = Object.assign(new Error('not this one'), { code: 'PINNED' });
  const refused = await failedHandshake(t, { client: { checkServerIdentity: () => refusal } });
  t.equal(refused.client, refusal, 'the very error');

  const bug = new Error('a bug in the check');
  const checkServerIdentity = () => {
    throw bug;
  };
  t.equal((await failedHandshake(t, { client: { checkServerIdentity } })).client, bug);
});

t.test('checkServerIdentity is not asked about a chain that is refused anyway', async (t) => {
  const { key, chain: cert } = await pki.untrustedServer();
  const { client } = await failedHandshake(t, {
    server: { key, cert },
    client: { checkServerIdentity: () => t.fail('asked') as never },
  });
  t.match(client.code, /^UNABLE_TO_/);
});
