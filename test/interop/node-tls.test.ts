/** The library at one end, node:tls at the other, in both roles. */
import {
  ClientConfig,
  type ClientConfigOptions,
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import { createHash, randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { clientOptions, readAll, sent, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tcpPair } from '../helpers/transports.js';
import { nextError, nextEvent, rejection, within } from '../helpers/wait.js';

interface Pair {
  ours: TlsStream;
  theirs: tls.TLSSocket;
}

/** Our server, their client. */
async function asServer(
  t: Test,
  server: ServerConfigOptions = {},
  client: tls.ConnectionOptions = {},
): Promise<Pair> {
  const under = await tcpPair(t);
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions(server)));
  const ca = (await pki.root()).cert;
  const base = { ca, host: 'localhost', servername: 'localhost' };
  const theirs = tls.connect({ ...base, ...client, socket: under.client });
  const [ours] = await Promise.all([
    acceptor.accept(under.server),
    nextEvent(theirs, 'secureConnect'),
  ]);
  return { ours, theirs };
}

/** Our client, their server. */
async function asClient(
  t: Test,
  server: tls.TLSSocketOptions & tls.SecureContextOptions = {},
  client: ClientConfigOptions = {},
): Promise<Pair> {
  const under = await tcpPair(t);
  const connector = new TlsConnector(new ClientConfig(await clientOptions(client)));
  const { key, chain: cert } = await pki.server();
  const secureContext = tls.createSecureContext({ key, cert, ...server });
  const options = { ...server, isServer: true, secureContext };
  const theirs = new tls.TLSSocket(under.server, options);
  const [ours] = await Promise.all([
    connector.connect('localhost', under.client),
    nextEvent(theirs, 'secure'),
  ]);
  return { ours, theirs };
}

const roles = { 'our server and their client': asServer, 'our client and their server': asClient };

for (const [role, connect] of Object.entries(roles)) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.test(`${role}, ${version}: a round trip and an end in order`, async (t) => {
      const range = { minVersion: version, maxVersion: version };
      const { ours, theirs } = await connect(t, range, {});
      t.equal(ours.getProtocol(), version);
      t.equal(await sent(ours, theirs, 'from us'), 'from us');
      t.equal(await sent(theirs, ours, 'from them'), 'from them');
      t.same(ours.getCipher(), theirs.getCipher());
      theirs.end('the last');
      t.equal((await readAll(ours)).toString(), 'the last');
      t.ok(ours.closeNotifyReceived);
    });

    t.test(`${role}, ${version}: our end is understood`, async (t) => {
      const { ours, theirs } = await connect(t, { maxVersion: version }, {});
      ours.resume().end('the last');
      t.equal((await readAll(theirs)).toString(), 'the last');
    });

    t.test(`${role}, ${version}: megabytes each way`, async (t) => {
      const { ours, theirs } = await connect(t, { maxVersion: version }, {});
      const data = randomBytes(12_000_000);
      const hashes = [hashOf(ours, data.length), hashOf(theirs, data.length)];
      ours.write(data);
      theirs.write(data);
      const expected = createHash('sha256').update(data).digest('hex');
      t.same(await within('all', Promise.all(hashes), 30_000), [expected, expected]);
    });
  }
}

for (const [kind, make] of [
  ['RSA', pki.serverRsa],
  ['P-384', pki.serverP384],
  ['Ed25519', pki.serverEd25519],
] as const) {
  t.test(`${kind} certificates, in both roles`, async (t) => {
    const { key, chain: cert } = await make();
    for (const connect of Object.values(roles)) {
      const { ours, theirs } = await connect(t, { key, cert }, {});
      t.equal(await sent(ours, theirs, 'there'), 'there');
    }
  });
}

t.test('their client shows our server its certificate', async (t) => {
  const { key, chain: cert } = await pki.client();
  const ca = (await pki.clientRoot()).cert;
  const { ours } = await asServer(t, { ca, clientAuth: 'required' }, { key, cert });
  t.equal(ours.authorized, true);
  t.match(ours.getPeerCertificate().subject, { CN: 'Test Client' });
});

t.test('our client shows their server its certificate', async (t) => {
  const { key, chain: cert } = await pki.client();
  const ca = (await pki.clientRoot()).cert;
  const server = { ca, requestCert: true, rejectUnauthorized: false };
  const { ours, theirs } = await asClient(t, server, { key, cert });
  t.equal(await sent(ours, theirs, 'there'), 'there');
  t.match(theirs.getPeerCertificate().subject, { CN: 'Test Client' });
});

t.test('their client without a certificate hears which alert our server sent', async (t) => {
  const under = await tcpPair(t);
  const ca = (await pki.clientRoot()).cert;
  const options = await serverOptions({ ca, clientAuth: 'required' });
  const accepted = rejection(new TlsAcceptor(new ServerConfig(options)).accept(under.server));
  const client = tls.connect({
    socket: under.client,
    ca: (await pki.root()).cert,
    servername: 'localhost',
  });
  t.equal((await nextError(client)).code, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  t.match(await accepted, { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' });
});

t.test('ALPN in both roles', async (t) => {
  const list = { ALPNProtocols: ['h2', 'http/1.1'] };
  for (const connect of Object.values(roles)) {
    const { ours, theirs } = await connect(t, list, list);
    t.equal(ours.alpnProtocol, 'h2');
    t.equal(theirs.alpnProtocol, 'h2');
  }
});

t.test('the keying material of both ends is the same, in both roles', async (t) => {
  for (const connect of Object.values(roles)) {
    const { ours, theirs } = await connect(t);
    const label = 'EXPORTER-Channel-Binding';
    const context = Buffer.alloc(0);
    t.same(
      ours.exportKeyingMaterial(32, label, context),
      theirs.exportKeyingMaterial(32, label, context),
    );
  }
});

t.test('a session of their server is resumed', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { key, chain: cert } = await pki.server();
    const secureContext = tls.createSecureContext({ key, cert, maxVersion });
    const ca = (await pki.root()).cert;
    const connector = new TlsConnector(new ClientConfig({ ca }));
    const dial = async (session?: Buffer) => {
      const under = await tcpPair(t);
      const theirs = new tls.TLSSocket(under.server, { isServer: true, secureContext });
      const ours = await connector.connect('localhost', under.client, { session });
      const tickets: Buffer[] = [];
      ours.on('session', (ticket: Buffer) => tickets.push(ticket));
      t.equal(await sent(theirs, ours, 'there'), 'there');
      return { ours, session: tickets[0] ?? ours.getSession() };
    };
    const first = await dial();
    t.equal(first.ours.negotiated.resumed, false);
    const second = await dial(first.session);
    t.equal(second.ours.negotiated.resumed, true, maxVersion);
    t.equal(second.ours.authorized, true);
  }
});

async function hashOf(stream: tls.TLSSocket | TlsStream, length: number): Promise<string> {
  const hash = createHash('sha256');
  let received = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    hash.update(chunk as Buffer);
    received += (chunk as Buffer).length;
    if (received >= length) break;
  }
  return hash.digest('hex');
}
