/**
 * Where chains are verified: on the thread pool what takes long, so that the event loop serves the other connections
 * meanwhile, and at once what is done sooner than it is handed over.
 */
import {
  ClientConfig,
  type ClientConfigOptions,
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import { setMaxListeners } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { issue } from '../helpers/certificate.js';
import { settledDescriptorCount } from '../helpers/descriptors.js';
import { connected, handshake, readAll, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { occupyThreadPool } from '../helpers/thread-pool.js';
import { type CodedError, eventually, nextError, rejection, within } from '../helpers/wait.js';

/** Long enough for a handshake that waits for nothing, on a busy machine. */
const aWhile = 300;

/** A client's chain of two signatures. */
async function clientChain() {
  const intermediate = await issue({
    subject: 'Clients',
    ca: true,
    issuer: await pki.clientRoot(),
  });
  return issue({ subject: 'Client', issuer: intermediate, purposes: ['clientAuth'] });
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => false,
    () => false,
  );
  return Promise.race([settled, sleep(aWhile, true)]);
}

async function connector(options: ClientConfigOptions = {}): Promise<TlsConnector> {
  return new TlsConnector(new ClientConfig({ ca: (await pki.root()).cert, ...options }));
}

const dial = (port: number): net.Socket => net.connect(port, '127.0.0.1');

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a client lets the thread pool verify a chain that takes long, ${version}`, async (t) => {
    const long = await tlsServer(t, { maxVersion: version });
    const short = await pki.serverFor(['dns:localhost']);
    const other = await tlsServer(t, { key: short.key, cert: short.cert, maxVersion: version });
    const client = await connector();
    const release = occupyThreadPool(t);
    const waiting = client.connect('localhost', dial(long.port));
    const stream = await client.connect('localhost', dial(other.port));
    t.equal(await sent(stream, stream, 'served meanwhile'), 'served meanwhile');
    t.ok(await isPending(waiting), 'the verification waits for a thread');
    await release();
    const verified = await within('the verification', waiting);
    t.equal(verified.authorized, true);
    t.equal(await sent(verified, verified, 'hello'), 'hello');
    stream.destroy();
    verified.destroy();
  });

  t.test(`a server does so, for a new session and for one resumed, ${version}`, async (t) => {
    const { key, chain: cert } = await clientChain();
    const ca = (await pki.clientRoot()).cert;
    const server = await tlsServer(t, { ca, clientAuth: 'required', maxVersion: version });
    // The client's own part is done without the pool.
    const client = await connector({ key, cert, rejectUnauthorized: false });
    let session: Buffer | undefined;
    for (const resumed of [false, true]) {
      const before = server.streams.length;
      const port = server.port;
      const resuming = await connector({ key, cert, ...(session ? { session } : {}) });
      const using = resumed ? resuming : client;
      // The client of a session verifies too, before the server gets to it; let it have the pool.
      const release = occupyThreadPool(t);
      const connecting = using.connect('localhost', dial(port));
      connecting.catch(() => {});
      await sleep(aWhile);
      t.equal(server.streams.length, before, 'nobody was let in unverified');
      t.same(server.failures, []);
      await release();
      const stream = await within('the handshake', connecting);
      await eventually('the accepted stream', () => server.streams.length > before);
      const accepted = server.streams[before]!;
      t.equal(accepted.authorized, true);
      t.equal(accepted.isSessionReused(), resumed);
      stream.once('session', (fresh: Buffer) => (session = fresh));
      t.equal(await sent(stream, stream, 'hello'), 'hello');
      session ??= stream.getSession();
      stream.destroy();
    }
  });
}

t.test('the verdict of the pool is the verdict', async (t) => {
  const intermediate = await pki.intermediate();
  const late = await issue({
    subject: 'localhost',
    names: pki.serverNames,
    issuer: intermediate,
    notBefore: new Date(Date.now() - 200_000),
    notAfter: new Date(Date.now() - 100_000),
  });
  const server = { key: late.key, cert: late.chain };
  const refused = await handshake(t, { server });
  t.match(refused.client, { code: 'CERT_HAS_EXPIRED', alert: { name: 'certificate_expired' } });
  t.match(refused.server, { alert: { direction: 'received', name: 'certificate_expired' } });

  const { client } = await connected(t, { server, client: { rejectUnauthorized: false } });
  t.equal(client.authorized, false);
  t.match(client.authorizationError, 'CERT_HAS_EXPIRED');

  const stranger = await issue({
    subject: 'Client',
    issuer: await issue({ subject: 'Clients', ca: true, issuer: await pki.otherRoot() }),
  });
  const mutual: ServerConfigOptions = { ca: (await pki.clientRoot()).cert, clientAuth: 'required' };
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const ends = await handshake(t, {
      server: { ...mutual, maxVersion: version },
      client: { key: stranger.key, cert: stranger.chain },
    });
    t.match(ends.server, { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }, version);
    const told = ends.client instanceof Error ? ends.client : await nextError(ends.client);
    t.match(told, { alert: { direction: 'received', name: 'unknown_ca' } }, version);
  }
});

t.test('a server that revoked the client’s certificate since refuses the session', async (t) => {
  const { key, chain: cert } = await clientChain();
  const ca = (await pki.clientRoot()).cert;
  const ticketKeys = Buffer.alloc(48, 1);
  const first = await tlsServer(t, { ca, ticketKeys, clientAuth: 'required' });
  const client = await connector({ key, cert });
  const stream = await client.connect('localhost', dial(first.port));
  let session: Buffer | undefined;
  stream.once('session', (fresh: Buffer) => (session = fresh));
  t.equal(await sent(stream, stream, 'hello'), 'hello');
  stream.destroy();

  // Another authority is trusted now, of another name and key, on another server of the same fleet.
  const elsewhere = (await pki.otherRoot()).cert;
  const second = await tlsServer(t, { ca: elsewhere, ticketKeys, clientAuth: 'required' });
  const resuming = await connector({ key, cert, session: session! });
  const again = await resuming.connect('localhost', dial(second.port));
  t.match(await nextError(again), { alert: { name: 'unknown_ca' } });
  t.match(await second.failed(), { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' });
});

t.test(
  'a connection that is given up while its chain is being verified ends at once',
  async (t) => {
    const server = await tlsServer(t);
    const client = await connector();
    const release = occupyThreadPool(t);
    const abort = new AbortController();
    const aborted = client.connect('localhost', dial(server.port), { signal: abort.signal });
    const late = client.connect('localhost', dial(server.port), { handshakeTimeout: 2 * aWhile });
    const refusals = Promise.all([rejection(aborted), rejection(late)]);
    setTimeout(() => abort.abort(), aWhile);
    t.match(await refusals, [{ name: 'AbortError' }, { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }]);
    await release();
  },
);

t.test('a request that ends while its sender is being verified is served', async (t) => {
  const { key, chain: cert } = await clientChain();
  const { key: serverKey, cert: serverCert } = await pki.serverFor(['dns:localhost']);
  const server = await tlsServer(t, {
    key: serverKey,
    cert: serverCert,
    ca: (await pki.clientRoot()).cert,
    clientAuth: 'required',
  });
  const client = await connector({ key, cert });
  const release = occupyThreadPool(t);
  const stream = await client.connect('localhost', dial(server.port), { allowHalfOpen: true });
  stream.end('all that there is');
  const answer = readAll(stream);
  await sleep(aWhile);
  t.same([server.streams.length, server.failures], [0, []]);
  await release();
  t.equal(String(await answer), 'all that there is');
});

t.test('a client that goes while it is being verified is noticed afterwards', async (t) => {
  const { key, chain: cert } = await clientChain();
  const { key: serverKey, cert: serverCert } = await pki.serverFor(['dns:localhost']);
  const server = await tlsServer(t, {
    key: serverKey,
    cert: serverCert,
    maxVersion: 'TLSv1.2',
    ca: (await pki.clientRoot()).cert,
    clientAuth: 'required',
  });
  const client = await connector({ key, cert });
  const release = occupyThreadPool(t);
  const socket = dial(server.port);
  const gone = client.connect('localhost', socket, { handshakeTimeout: aWhile });
  t.match(await rejection(gone), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  await release();
  // All that a client has to say had come.
  const stream = await server.accepted();
  await eventually('its end', () => stream.destroyed);
});

t.test('a thousand at once', { timeout: 60_000 }, async (t) => {
  const { key, chain: cert } = await pki.server();
  const acceptor = new TlsAcceptor(new ServerConfig({ key, cert, ktls: 'off' }));
  const accepted: TlsStream[] = [];
  let arrived = 0;
  const server = net.createServer((socket) => {
    arrived++;
    acceptor.accept(socket).then(
      (stream) => accepted.push(stream.on('error', () => {})),
      () => {},
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 2000, resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const client = await connector({ ktls: 'off' });
  const before = await settledDescriptorCount(0, 100);

  const release = occupyThreadPool(t);
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const outcomes = Array.from({ length: 1000 }, (_, i) => {
    const signal = i % 2 === 0 ? { signal: abort.signal } : {};
    return client.connect('localhost', dial(port), signal).catch((error: CodedError) => error);
  });
  await eventually('a thousand connections', () => arrived === 1000, 30_000);
  await sleep(aWhile);
  abort.abort();
  const halves = [0, 1].map((half) => Promise.all(outcomes.filter((_, i) => i % 2 === half)));
  for (const error of await within('the aborted ones', halves[0]!)) {
    if (!(error instanceof Error && error.name === 'AbortError')) t.fail('one was not aborted');
  }
  await release();
  for (const stream of await within('the others', halves[1]!, 30_000)) {
    if (stream instanceof Error) t.fail(stream.message);
    else stream.destroy();
  }
  await eventually('the other ends', () => accepted.length >= 500, 30_000);
  for (const stream of accepted) stream.destroy();
  t.ok((await settledDescriptorCount(before)) <= before, 'nothing is left open');
});
