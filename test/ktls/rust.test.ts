/** The Rust crate at the other end, with both ends' record layers in the kernel. */
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import { constants } from 'node:crypto';
import net from 'node:net';
import t from 'tap';
import { clientOptions, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { rustClient, rustPeerUnbuilt, rustServer, rustSuites } from '../helpers/rust-peer.js';
import { tlsServer } from '../helpers/server.js';
import { nextEvent } from '../helpers/wait.js';
import { bulk, transferred } from './bulk.js';
import { expectInstalls } from './statistics.js';

const skip = rustPeerUnbuilt();

/** The crate's client cannot read on behind a ticket that comes when the kernel reads already. */
const secureOptions = constants.SSL_OP_NO_TICKET;

for (const [version, suites] of Object.entries(rustSuites)) {
  for (const suite of suites) {
    const kind = suite.includes('_RSA_') ? 'RSA' : 'ECDSA';
    const pinned = ['--version', version, '--suites', suite];

    t.test(`3 MiB each way with its server, ${version}, ${suite}`, { skip }, async (t) => {
      await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
        const { peer, port } = await rustServer(t, pinned, kind);
        const config = new ClientConfig(await clientOptions({ ktls: 'require' }));
        const connector = new TlsConnector(config);
        const stream = await connector.connect('localhost', net.connect(port, '127.0.0.1'));
        t.match(stream.negotiated, { protocol: version, cipher: suite });
        t.same(stream.ktls, { tx: true, rx: true });
        // The crate leaves the kernel out when data has come by the end of its handshake.
        t.match(await peer.handshake(), { protocol: version, ktls: true });
        t.ok(await transferred(stream, stream));
        await nextEvent(stream.resume().end(), 'close');
        t.ok(stream.closeNotifyReceived);
        t.match(await peer.end(), { echoed: bulk, end: 'close_notify' });
      });
    });

    t.test(`3 MiB each way with its client, ${version}, ${suite}`, { skip }, async (t) => {
      const { key, chain: cert } = await (kind === 'RSA' ? pki.serverRsa() : pki.server());
      await expectInstalls(t, { tx: 2, rx: 2 }, async () => {
        const server = await tlsServer(t, { key, cert, ktls: 'require', secureOptions });
        const peer = await rustClient(t, server.port, [...pinned, '--bytes', String(bulk)]);
        const stream = await server.accepted();
        t.match(stream.negotiated, { protocol: version, cipher: suite });
        t.same(stream.ktls, { tx: true, rx: true });
        t.match(await peer.handshake(), { protocol: version, ktls: true });
        t.match(await peer.end(), { received: bulk, end: 'close_notify' });
        t.equal((await peer.ended).code, 0);
        t.ok(stream.closeNotifyReceived);
      });
    });
  }

  t.test(`its client in userspace and our tickets, ${version}`, { skip }, async (t) => {
    await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
      const server = await tlsServer(t, { ktls: 'require' });
      const args = ['--version', version, '--ktls', 'off', '--bytes', String(bulk)];
      const peer = await rustClient(t, server.port, args);
      t.match(await peer.handshake(), { ktls: false });
      t.match(await peer.end(), { received: bulk, end: 'close_notify' });
      t.ok((await server.accepted()).closeNotifyReceived);
    });
  });

  t.test(`our server ends first, ${version}`, { skip }, async (t) => {
    const server = await tlsServer(t, { ktls: 'require', secureOptions }, (stream) => {
      stream.on('error', () => {}).once('data', (data) => stream.end(data));
    });
    const peer = await rustClient(t, server.port, ['--version', version, '--bytes', '5']);
    t.match(await peer.handshake(), { ktls: true });
    t.match(await peer.end(), { received: 5, end: 'close_notify' });
    t.equal((await peer.ended).code, 0);
    t.ok((await server.accepted()).closeNotifyReceived);
  });

  t.test(`its server ends first, ${version}`, { skip }, async (t) => {
    const { peer, port } = await rustServer(t, ['--version', version, '--bytes', '5']);
    const config = new ClientConfig(await clientOptions({ ktls: 'require' }));
    const connector = new TlsConnector(config);
    const stream = await connector.connect('localhost', net.connect(port, '127.0.0.1'));
    t.match(await peer.handshake(), { ktls: true });
    t.equal(await sent(stream, stream, 'hello'), 'hello');
    await nextEvent(stream.resume(), 'close');
    t.ok(stream.closeNotifyReceived);
    t.match(await peer.end(), { echoed: 5, end: 'close_notify' });
  });
}
