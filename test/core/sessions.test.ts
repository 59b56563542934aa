/** Session resumption between two ends of the library. */
import {
  ClientConfig,
  type ClientConfigOptions,
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { type Identity, issue } from '../helpers/certificate.js';
import { clientOptions, sent, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { tcpPair } from '../helpers/transports.js';
import { nextEvent, rejection } from '../helpers/wait.js';

type Outcome = { client: TlsStream; server: TlsStream; session: Buffer | undefined };

/** A client and a server whose configurations live on from connection to connection. */
async function peers(t: Test, server: ServerConfigOptions = {}, client: ClientConfigOptions = {}) {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions(server)));
  const connector = new TlsConnector(new ClientConfig(await clientOptions(client)));
  return async (session?: Buffer, other = connector, name = 'localhost'): Promise<Outcome> => {
    const under = await tcpPair(t);
    const accepted = acceptor.accept(under.server);
    accepted.catch(() => {});
    const stream = await other.connect(name, under.client, { session });
    stream.on('error', () => {});
    const tickets: Buffer[] = [];
    stream.on('session', (ticket: Buffer) => tickets.push(ticket));
    const peer = await accepted;
    t.teardown(() => [stream, peer].forEach((end) => end.on('error', () => {}).destroy()));
    t.equal(await sent(peer, stream, 'there'), 'there');
    return { client: stream, server: peer, session: tickets.at(-1) ?? stream.getSession() };
  };
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a session is resumed, ${maxVersion}`, async (t) => {
    const connect = await peers(t, { maxVersion });
    const first = await connect();
    t.equal(first.client.negotiated.resumed, false);
    t.equal(first.client.isSessionReused(), false);
    t.ok(Buffer.isBuffer(first.session));
    const second = await connect(first.session);
    for (const end of [second.client, second.server]) {
      t.equal(end.negotiated.resumed, true);
      t.equal(end.isSessionReused(), true);
    }
    t.equal(second.client.authorized, true);
    t.equal(
      second.client.getPeerX509Certificate()?.fingerprint256,
      (await pki.server()).x509.fingerprint256,
      'the server is still known by its certificate',
    );
    const third = await connect(second.session);
    t.equal(third.client.negotiated.resumed, true, 'and so on');
  });

  const again = maxVersion === 'TLSv1.2';
  t.test(
    `a configuration offers its session ${again ? 'again' : 'once'}, ${maxVersion}`,
    async (t) => {
      const connect = await peers(t, { maxVersion });
      const { session } = await connect();
      const options = await clientOptions(session === undefined ? {} : { session });
      const connector = new TlsConnector(new ClientConfig(options));
      const elsewhere = await connect(undefined, connector, 'example.test').catch(() => undefined);
      t.not(elsewhere?.client.negotiated.resumed, true, 'not to another name');
      t.equal((await connect(undefined, connector)).client.negotiated.resumed, true);
      t.equal((await connect(undefined, connector)).client.negotiated.resumed, again);
    },
  );

  t.test(`a resumed client keeps what its certificate proved, ${maxVersion}`, async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const { key, chain: cert } = await pki.client();
    const connect = await peers(t, { maxVersion, ca, clientAuth: 'required' }, { key, cert });
    const first = await connect();
    t.equal(first.server.authorized, true);
    const second = await connect(first.session);
    t.equal(second.server.negotiated.resumed, true);
    t.equal(second.server.authorized, true);
    t.match(second.server.getPeerCertificate().subject, { CN: 'Test Client' });
  });

  t.test(`a resumed client without a certificate is not authorized, ${maxVersion}`, async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const connect = await peers(t, { maxVersion, ca, clientAuth: 'optional' });
    const first = await connect();
    t.equal(first.server.authorized, false);
    const second = await connect(first.session);
    t.equal(second.server.authorized, false);
  });

  t.test(`a session made without verification gets nobody past it, ${maxVersion}`, async (t) => {
    const { key, chain: cert } = await pki.untrustedServer();
    const connect = await peers(t, { maxVersion, key, cert });
    const careless = new TlsConnector(new ClientConfig({ rejectUnauthorized: false }));
    const { session, client } = await connect(undefined, careless);
    t.equal(client.authorized, false);
    const error = await rejection(connect(session));
    t.match(error.code, /^(UNABLE_TO_|SELF_SIGNED)/);
  });

  t.test(`a session is for one name only, ${maxVersion}`, async (t) => {
    const connect = await peers(t, { maxVersion });
    const { session } = await connect();
    const error = await rejection(connect(session, undefined, 'wrong.test'));
    t.equal(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a session is not offered under another name, ${maxVersion}`, async (t) => {
    const connect = await peers(t, { maxVersion });
    const { session } = await connect();
    const other = await connect(session, undefined, 'example.test');
    t.equal(other.client.negotiated.resumed, false);
    const same = await connect(session);
    t.equal(same.client.negotiated.resumed, true);
  });

  t.test(`nor under another client certificate, or none, ${maxVersion}`, async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const connect = await peers(t, { maxVersion, ca, clientAuth: 'optional' });
    const one = await pki.client();
    const other = await issue({
      subject: 'Other Client',
      issuer: await pki.clientRoot(),
      purposes: ['clientAuth'],
    });
    const as = async ({ key, chain }: Identity) =>
      new TlsConnector(new ClientConfig(await clientOptions({ key, cert: chain })));
    const { session, server } = await connect(undefined, await as(one));
    t.match(server.getPeerCertificate().subject, { CN: 'Test Client' });

    const stolen = await connect(session, await as(other));
    t.equal(stolen.server.negotiated.resumed, false);
    t.match(stolen.server.getPeerCertificate().subject, { CN: 'Other Client' });
    const nobody = await connect(session);
    t.equal(nobody.server.negotiated.resumed, false);
    t.equal(nobody.server.authorized, false);
    const anonymous = await connect(nobody.session, await as(one));
    t.equal(anonymous.server.negotiated.resumed, false);
    t.equal(anonymous.server.authorized, true);
  });

  t.test(
    `a server resumes under the name that the ticket was made for, ${maxVersion}`,
    async (t) => {
      const server = await tlsServer(t, { maxVersion });
      const ca = (await pki.root()).cert;
      const visit = async (servername: string, session?: Buffer) => {
        const options = { host: '127.0.0.1', port: server.port, ca, servername, session };
        const client = tls.connect(options);
        t.teardown(() => client.destroy());
        let ticket: Buffer | undefined;
        client.on('session', (next) => (ticket = next));
        await nextEvent(client, 'secureConnect');
        await sent(client, client, 'and back');
        return { resumed: client.isSessionReused(), session: ticket };
      };
      const { session } = await visit('localhost');
      t.equal((await visit('example.test', session)).resumed, false);
      t.equal((await visit('LOCALHOST', session)).resumed, true, 'however it is written');
    },
  );
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a session gets nobody past another name's client policy, ${maxVersion}`, async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const strict = new ServerConfig(
      await serverOptions({ maxVersion, ca, clientAuth: 'required' }),
    );
    const SNICallback = (name: string) => (name === 'example.test' ? strict : undefined);
    const server = await tlsServer(t, { maxVersion, SNICallback });
    const roots = (await pki.root()).cert;
    const visit = (servername: string, session?: Buffer) => {
      const address = { host: '127.0.0.1', port: server.port };
      const client = tls.connect({ ...address, ca: roots, servername, session });
      t.teardown(() => client.on('error', () => {}).destroy());
      return client.on('error', () => {});
    };
    const open = visit('localhost');
    const ticket = nextEvent(open, 'session');
    await sent(open, open, 'and back');
    const [session] = (await ticket) as [Buffer];
    visit('example.test', session);
    const error = await server.failed();
    t.match(error.code, 'PEER_DID_NOT_RETURN_A_CERTIFICATE');
    t.equal(server.streams.length, 1);
  });
}

t.test('a session of a server that has forgotten it is a full handshake', async (t) => {
  const one = await peers(t);
  const other = await peers(t);
  const { session } = await one();
  const { client } = await other(session);
  t.equal(client.negotiated.resumed, false);
  t.equal(client.authorized, true);
});

t.test('a server that begins to ask for certificates resumes nothing from before', async (t) => {
  const open = await peers(t);
  const ca = (await pki.clientRoot()).cert;
  const strict = await peers(t, { ca, clientAuth: 'required' });
  const { session } = await open();
  await rejection(strict(session));
});

t.test('what is no session is refused', async (t) => {
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  for (const nonsense of [Buffer.from('nonsense'), Buffer.alloc(0), 'text' as never]) {
    const { client } = await tcpPair(t);
    const error = await rejection(connector.connect('localhost', client, { session: nonsense }));
    t.match(error, { code: 'ERR_AWS_LC_CONFIG_TYPE', option: 'session' });
  }
});
