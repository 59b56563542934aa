/** The library against the `openssl` program, in both roles. */
import { ClientConfig, type ClientConfigOptions, TlsConnector } from '@node-aws-lc/core';
import net from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import { Child } from '../helpers/children.js';
import { clientOptions, read, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { listener } from '../helpers/transports.js';
import { missing, opensslClient, opensslServer } from '../helpers/tools.js';
import { eventually, nextEvent, rejection } from '../helpers/wait.js';

const skip = missing('openssl', 'openssl');

/** The shared certificates as files, for the program's options. */
async function files(t: Test): Promise<(name: string) => string> {
  const [server, client] = [await pki.server(), await pki.client()];
  const folder = t.testdir({
    'root.pem': (await pki.root()).cert,
    'server.key': server.key,
    'server.pem': server.cert,
    'chain.pem': (await pki.intermediate()).cert,
    'client-root.pem': (await pki.clientRoot()).cert,
    'client.key': client.key,
    'client.pem': client.cert,
  });
  return (name) => path.join(folder, name);
}

/** What s_client prints of a connection in which a line was echoed, so that tickets have come. */
async function lineThrough(t: Test, port: number, args: string[]): Promise<string> {
  const child = new Child(t, 'openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
  child.write('a line\n');
  await child.saw(/^a line$/m);
  child.endInput();
  return (await child.ended).stdout;
}

async function dial(port: number, options: ClientConfigOptions = {}) {
  const connector = new TlsConnector(new ClientConfig(await clientOptions(options)));
  return connector.connect('localhost', net.connect(port, '127.0.0.1'));
}

t.test('s_client against our server', { skip }, async (t) => {
  const server = await tlsServer(t, { ALPNProtocols: ['h2', 'http/1.1'] });
  const file = await files(t);
  const trust = ['-CAfile', file('root.pem'), '-verify_return_error', '-servername', 'localhost'];
  const checks = [...trust, '-verify_hostname', 'localhost'];

  for (const [option, version] of [
    ['-tls1_3', 'TLSv1.3'],
    ['-tls1_2', 'TLSv1.2'],
  ] as const) {
    t.test(`verifies the chain and echoes, ${version}`, async (t) => {
      const count = server.streams.length;
      const args = [...checks, option, '-alpn', 'http/1.1'];
      t.match(await lineThrough(t, server.port, args), /^a line$/m);
      const stream = server.streams[count]!;
      t.equal(stream.getProtocol(), version);
      t.equal(stream.alpnProtocol, 'http/1.1');
      t.equal(stream.servername, 'localhost');
      await eventually('its close_notify', () => stream.closeNotifyReceived);
    });
  }

  t.test('reports what was negotiated', async (t) => {
    const args = [...checks, '-tls1_3', '-alpn', 'h2', '-groups', 'P-384'];
    const { stdout } = await opensslClient(t, server.port, args);
    t.match(stdout, 'Verify return code: 0 (ok)');
    t.match(stdout, 'ALPN protocol: h2');
    t.match(stdout, /New, TLSv1.3, Cipher is TLS_/);
    t.match(stdout, /Server Temp Key: ECDH, (P-384|secp384r1)/);
  });

  t.test('has its session resumed', async (t) => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const session = path.join(t.testdir({}), 'session.pem');
      const save = [...checks, version, '-sess_out', session];
      t.match(await lineThrough(t, server.port, save), /New, TLSv1/);
      const resume = [...checks, version, '-sess_in', session];
      t.match(await lineThrough(t, server.port, resume), /Reused, TLSv1/, version);
    }
  });

  t.test('is refused with what it cannot do', async (t) => {
    const none = await opensslClient(t, server.port, [
      ...checks,
      '-tls1_1',
      '-cipher',
      'ALL:@SECLEVEL=0',
    ]);
    t.not(none.code, 0);
    t.match(none.stderr, /protocol version/);
    const alpn = await opensslClient(t, server.port, [...checks, '-alpn', 'gopher']);
    t.match(alpn.stderr, /no application protocol/);
  });
});

t.test('s_client with and without a certificate', { skip }, async (t) => {
  const ca = (await pki.clientRoot()).cert;
  const server = await tlsServer(t, { ca, clientAuth: 'required' });
  const file = await files(t);
  const shown = ['-cert', file('client.pem'), '-key', file('client.key')];
  await opensslClient(t, server.port, shown, { input: 'a line\n' });
  const stream = await server.accepted();
  t.equal(stream.authorized, true);
  const { stderr } = await opensslClient(t, server.port, ['-tls1_2']);
  t.match(stderr, /handshake failure/);
  t.match(await server.failed(), { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' });
});

t.test('our client against s_server', { skip }, async (t) => {
  const file = await files(t);
  const identity = ['-key', file('server.key'), '-cert', file('server.pem')];
  const chain = ['-cert_chain', file('chain.pem')];

  for (const [option, protocol] of [
    ['-tls1_3', 'TLSv1.3'],
    ['-tls1_2', 'TLSv1.2'],
  ] as const) {
    t.test(`round trip, ${protocol}`, async (t) => {
      const { port } = await opensslServer(t, [...identity, ...chain, '-rev', option]);
      const client = await dial(port);
      t.match(client.negotiated, { protocol });
      t.equal(await sent(client, client, 'hello\n'), 'olleh\n');
      await nextEvent(client.resume().end(), 'close');
    });
  }

  t.test('a key update of theirs is followed', async (t) => {
    const { child, port } = await opensslServer(t, [...identity, ...chain, '-tls1_3']);
    let received = 0;
    const relay = await listener(t, (near) => {
      const far = net.connect(port, '127.0.0.1').on('data', (bytes) => (received += bytes.length));
      t.teardown(() => far.destroy());
      near.pipe(far).pipe(near);
    });
    const client = await dial(relay.port);
    for (const command of ['k', 'K']) {
      const before = received;
      child.write(`${command}\n`);
      // It would take more input, read together with the command, for a part of it.
      await eventually('the key update', () => received > before);
      child.write('after the update\n');
      t.match(await read(client, 17), 'after the update\n', command);
      client.write(`answer to ${command}\n`);
      await child.saw(new RegExp(`answer to ${command}`));
    }
    client.destroy();
  });

  t.test('a certificate that they ask for is shown', async (t) => {
    const { key, chain: cert } = await pki.client();
    const ask = ['-Verify', '1', '-verify_return_error', '-CAfile', file('client-root.pem')];
    const { port } = await opensslServer(t, [...identity, ...chain, ...ask, '-rev']);
    const client = await dial(port, { key, cert });
    t.equal(await sent(client, client, 'hello\n'), 'olleh\n');
    client.destroy();
  });

  t.test('a chain without its intermediate is refused', async (t) => {
    const { port } = await opensslServer(t, [...identity, '-rev']);
    t.match(await rejection(dial(port)), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  t.test('each suite of theirs that we share', async (t) => {
    const { port } = await opensslServer(t, [...identity, ...chain, '-rev']);
    for (const suite of [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
    ]) {
      const client = await dial(port, { cipherSuites: [suite] });
      t.equal(client.getCipher()?.name, suite);
      t.equal(await sent(client, client, 'hello\n'), 'olleh\n');
      await nextEvent(client.resume().end(), 'close');
    }
  });
});
