/** RSA signatures, which take so long that they are made on the thread pool. */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import type { ServerConfigOptions } from '@node-aws-lc/core';
import t from 'tap';
import { connected, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { occupyThreadPool } from '../helpers/thread-pool.js';
import { eventually, nextEvent, within } from '../helpers/wait.js';

/** Long enough to give up a pool that does not answer. */
const aWhile = 200;
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

async function rsa(): Promise<ServerConfigOptions> {
  const { key, chain } = await pki.serverRsa();
  return { key, cert: chain };
}

/** A client that needs no thread itself: ours would verify the chain on one. */
async function connect(port: number): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await nextEvent(socket, 'secureConnect');
  return socket;
}

for (const version of versions) {
  t.test(`are made by all kinds of servers, ${version}`, async (t) => {
    const alone = await rsa();
    const { key, chain } = await pki.server();
    const ofTwo = { key: [key, alone.key], cert: [chain, alone.cert] } as ServerConfigOptions;
    for (const server of [alone, ofTwo]) {
      for (const sigalgs of ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha512']) {
        const client = { sigalgs, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256' };
        const setup = { server: { ...server, maxVersion: version }, client };
        const ends = await connected(t, setup);
        t.equal(await sent(ends.server, ends.client, 'signed'), 'signed');
        t.equal(ends.client.getPeerX509Certificate()?.publicKey.asymmetricKeyType, 'rsa');
      }
    }
  });

  t.test(`keep nobody waiting who needs none, ${version}`, async (t) => {
    const slow = await tlsServer(t, { ...(await rsa()), maxVersion: version });
    const other = await tlsServer(t, { maxVersion: version });
    const release = occupyThreadPool(t);
    const waiting = connect(slow.port);
    const stream = await within('the other handshake', connect(other.port));
    t.equal(await sent(stream, stream, 'served meanwhile'), 'served meanwhile');
    t.equal(slow.streams.length, 0, 'the signature waits for a thread');
    await release();
    const signed = await within('the signature', waiting);
    t.equal(await sent(signed, signed, 'hello'), 'hello');
    for (const end of [stream, signed]) end.destroy();
  });

  t.test(`are made without a pool that does not get on, ${version}`, async (t) => {
    const server = await tlsServer(t, { ...(await rsa()), maxVersion: version });
    const release = occupyThreadPool(t);
    const first = connect(server.port);
    await sleep(aWhile);
    const later = await within('the later handshake', connect(server.port));
    t.equal(await sent(later, later, 'served'), 'served');
    await release();
    const stream = await within('the first handshake', first);
    t.equal(await sent(stream, stream, 'late'), 'late');
    for (const end of [later, stream]) end.destroy();
  });

  t.test(`end with a client that does not wait for them, ${version}`, async (t) => {
    const server = await tlsServer(t, { ...(await rsa()), maxVersion: version });
    const release = occupyThreadPool(t);
    const socket = net.connect(server.port, '127.0.0.1');
    tls.connect({ socket, rejectUnauthorized: false }).on('error', () => {});
    await sleep(50);
    socket.destroy();
    await eventually('the failure', () => server.failures.length === 1);
    await release();
    const stream = await within('a handshake behind it', connect(server.port));
    t.equal(await sent(stream, stream, 'served'), 'served');
    stream.destroy();
  });
}

t.test('RSA key exchange decrypts with the same key', async (t) => {
  const suite = 'TLS_RSA_WITH_AES_128_GCM_SHA256';
  const setup = {
    server: { ...(await rsa()), cipherSuites: [suite] },
    client: { cipherSuites: [suite] },
  };
  const ends = await connected(t, setup);
  t.match(ends.client.negotiated, { cipher: suite, protocol: 'TLSv1.2' });
  t.equal(await sent(ends.client, ends.server, 'exchanged'), 'exchanged');
});
