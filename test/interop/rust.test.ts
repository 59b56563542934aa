/** The library against the Rust crate tokio-aws-lc, in both roles, in userspace. */
import { ClientConfig, type ClientConfigOptions, TlsConnector } from '@node-aws-lc/core';
import net from 'node:net';
import t, { type Test } from 'tap';
import { clientOptions, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import {
  buildRustPeer,
  rustBuildTime,
  rustClient,
  rustFiles,
  rustPeerMissing,
  rustServer,
  rustSuites,
} from '../helpers/rust-peer.js';
import { tlsServer } from '../helpers/server.js';
import { nextEvent, rejection } from '../helpers/wait.js';
import { bulk, transferred } from '../ktls/bulk.js';

const skip = rustPeerMissing();
const userspace = ['--ktls', 'off'];
const versions = ['TLSv1.3', 'TLSv1.2'] as const;

t.setTimeout(rustBuildTime + 3 * 60_000);

t.test('the program on the crate builds', { skip }, async (t) => {
  t.setTimeout(rustBuildTime);
  await buildRustPeer(t);
});

async function dial(t: Test, port: number, options: ClientConfigOptions = {}) {
  const config = new ClientConfig(await clientOptions({ ktls: 'off', ...options }));
  const stream = await new TlsConnector(config).connect('localhost', net.connect(port));
  t.teardown(() => stream.destroy());
  return stream;
}

for (const version of versions) {
  for (const suite of rustSuites[version]) {
    const kind = suite.includes('_RSA_') ? 'RSA' : 'ECDSA';
    const pinned = ['--version', version, '--suites', suite, ...userspace];

    t.test(`3 MiB each way with its client, ${version}, ${suite}`, { skip }, async (t) => {
      const { key, chain: cert } = await (kind === 'RSA' ? pki.serverRsa() : pki.server());
      const server = await tlsServer(t, {
        key,
        cert,
        ALPNProtocols: ['h2', 'echo/1'],
        ktls: 'off',
      });
      const args = [...pinned, '--alpn', 'echo/1,h2', '--bytes', String(bulk)];
      const peer = await rustClient(t, server.port, args);
      const [stream, theirs] = [await server.accepted(), await peer.handshake()];
      t.match(theirs, { protocol: version, alpn: 'h2', ktls: false, peerCertificate: true });
      t.match(stream.negotiated, {
        protocol: version,
        cipher: suite,
        alpn: 'h2',
        serverName: 'localhost',
      });
      t.equal(theirs.cipher, stream.getCipher()?.name);
      t.match(await peer.end(), { received: bulk, end: 'close_notify' });
      t.equal((await peer.ended).code, 0);
      t.ok(stream.closeNotifyReceived);
    });

    t.test(`3 MiB each way with its server, ${version}, ${suite}`, { skip }, async (t) => {
      const { peer, port } = await rustServer(t, [...pinned, '--alpn', 'h2,echo/1'], kind);
      const stream = await dial(t, port, { ALPNProtocols: ['echo/1', 'h2'] });
      t.match(stream.negotiated, { protocol: version, cipher: suite, alpn: 'h2' });
      t.match(await peer.handshake(), {
        protocol: version,
        cipher: stream.getCipher()?.name,
        alpn: 'h2',
        serverName: 'localhost',
        ktls: false,
      });
      t.ok(await transferred(stream, stream));
      await nextEvent(stream.resume().end(), 'close');
      t.ok(stream.closeNotifyReceived);
      t.match(await peer.end(), { echoed: bulk, end: 'close_notify' });
    });
  }

  const pinned = ['--version', version, ...userspace];

  t.test(`its server ends first, ${version}`, { skip }, async (t) => {
    const { peer, port } = await rustServer(t, [...pinned, '--bytes', '5']);
    const stream = await dial(t, port);
    t.equal(await sent(stream, stream, 'hello'), 'hello');
    await nextEvent(stream.resume(), 'close');
    t.ok(stream.closeNotifyReceived);
    t.match(await peer.end(), { echoed: 5, end: 'close_notify' });
  });

  t.test(`our server ends first, ${version}`, { skip }, async (t) => {
    const server = await tlsServer(t, { ktls: 'off' }, (stream) => {
      stream.on('error', () => {}).once('data', (data) => stream.end(data));
    });
    const peer = await rustClient(t, server.port, [...pinned, '--bytes', '5']);
    t.match(await peer.end(), { received: 5, end: 'close_notify' });
    t.equal((await peer.ended).code, 0);
    t.ok((await server.accepted()).closeNotifyReceived);
  });

  t.test(`certificates on both sides, ${version}`, { skip }, async (t) => {
    const file = await rustFiles(t);
    const { key, chain: cert } = await pki.client();
    const ca = (await pki.clientRoot()).cert;

    t.test('required of its client', async (t) => {
      const server = await tlsServer(t, { ca, clientAuth: 'required', ktls: 'off' });
      const shown = ['--cert', file('client.pem'), '--key', file('client.key')];
      const peer = await rustClient(t, server.port, [...pinned, ...shown, '--bytes', '5']);
      t.match(await peer.end(), { received: 5, end: 'close_notify' });
      t.equal((await server.accepted()).authorized, true);
    });

    t.test('required by its server', async (t) => {
      const args = [...pinned, '--client-ca', file('client-root.pem')];
      const { peer, port } = await rustServer(t, args);
      const stream = await dial(t, port, { key, cert });
      t.equal(await sent(stream, stream, 'hello'), 'hello');
      t.match(await peer.handshake(), { peerCertificate: true });
      await nextEvent(stream.resume().end(), 'close');
    });

    t.test('missing at its server', async (t) => {
      const args = [...pinned, '--client-ca', file('client-root.pem')];
      const { peer, port } = await rustServer(t, args);
      const error = await rejection(
        dial(t, port).then(async (stream) => sent(stream, stream, 'hello')),
      );
      t.match(error, { alert: { direction: 'received' } });
      t.match(await peer.refusal(), /PEER_DID_NOT_RETURN_A_CERTIFICATE/);
    });
  });
}

t.test('what one of the two refuses', { skip }, async (t) => {
  t.test('its client: a name that is not in our certificate', async (t) => {
    const server = await tlsServer(t);
    const args = [...userspace, '--name', 'other.test', '--bytes', '5'];
    const { code, stderr } = await (await rustClient(t, server.port, args)).ended;
    t.not(code, 0);
    t.match(stderr, /CERTIFICATE_VERIFY_FAILED/);
    t.match(await server.failed(), { alert: { direction: 'received' } });
  });

  t.test('our client: a root that is not its', async (t) => {
    const { port } = await rustServer(t, userspace);
    const ca = (await pki.clientRoot()).cert;
    t.match(await rejection(dial(t, port, { ca })), { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' });
  });

  t.test('our server: no protocol in common', async (t) => {
    const server = await tlsServer(t, { ALPNProtocols: ['h2'] });
    const args = [...userspace, '--alpn', 'gopher', '--bytes', '5'];
    const { stderr } = await (await rustClient(t, server.port, args)).ended;
    t.match(stderr, /NO_APPLICATION_PROTOCOL/);
  });

  t.test('its server: no protocol in common', async (t) => {
    const { peer, port } = await rustServer(t, [...userspace, '--alpn', 'h2']);
    const error = await rejection(dial(t, port, { ALPNProtocols: ['gopher'] }));
    t.match(error, { alert: { direction: 'received', name: 'no_application_protocol' } });
    t.match(await peer.refusal(), /NO_APPLICATION_PROTOCOL|ALPN/);
  });
});

t.test('its server resumes by session ID in TLS 1.2', { skip }, async (t) => {
  const { port } = await rustServer(t, ['--version', 'TLSv1.2', ...userspace]);
  const first = await visited(t, port);
  t.equal(first.reused, false);
  const second = await visited(t, port, { session: first.session });
  t.equal(second.reused, true);
});

t.test('its server has no sessions in TLS 1.3', { skip }, async (t) => {
  const { port } = await rustServer(t, ['--version', 'TLSv1.3', ...userspace]);
  const { session, reused } = await visited(t, port);
  t.equal(session, undefined);
  t.equal(reused, false);
});

/** What a connection came to in which both ends spoke and ended. */
async function visited(t: Test, port: number, options: ClientConfigOptions = {}) {
  const stream = await dial(t, port, options);
  let session: Buffer | undefined;
  stream.on('session', (given: Buffer) => (session = given));
  t.equal(await sent(stream, stream, 'hello'), 'hello');
  await nextEvent(stream.resume().end(), 'close');
  return { session, reused: stream.isSessionReused() };
}
