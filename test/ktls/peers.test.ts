/**
 * Peers that are not ours, with the kernel on our side: the `openssl` and `gnutls-cli` programs and
 * node:tls, in both roles where they have both. What they do is what they would do in userspace;
 * what is checked is that it goes through the kernel and comes out right.
 */
import {
  ClientConfig,
  type ClientConfigOptions,
  hostKtls,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { Child } from '../helpers/children.js';
import { clientOptions, readAll, sent, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { missing, opensslServer } from '../helpers/tools.js';
import { nextEvent } from '../helpers/wait.js';
import { bulk, transferred } from './bulk.js';
import { expectInstalls, noneLeft } from './statistics.js';

const openssl = missing('openssl', 'openssl');
const gnutls = missing('gnutls-cli', 'gnutls-bin');
// Asked before anything is counted: it tries connections.
const rekeys = hostKtls().rekey && 'this kernel can change keys';

const versions = {
  'TLSv1.3': {
    option: '-tls1_3',
    ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  },
  'TLSv1.2': {
    option: '-tls1_2',
    ciphers: [
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
    ],
  },
} as const;

async function files(t: Test): Promise<(name: string) => string> {
  const server = await pki.server();
  const folder = t.testdir({
    'root.pem': (await pki.root()).cert,
    'server.key': server.key,
    'server.pem': server.cert,
    'chain.pem': (await pki.intermediate()).cert,
  });
  return (name) => path.join(folder, name);
}

/** Sends back what comes, so many bytes of it, and ends. */
function echo(stream: TlsStream, length: number): void {
  let left = length;
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (!stream.write(chunk)) stream.pause().once('drain', () => stream.resume());
    if (left === 0) stream.end();
  });
}

async function dial(t: Test, port: number, options: ClientConfigOptions = {}) {
  const config = new ClientConfig(await clientOptions({ ktls: 'require', ...options }));
  const client = await new TlsConnector(config).connect(
    'localhost',
    net.connect(port, '127.0.0.1'),
  );
  t.teardown(() => client.on('error', () => {}).destroy());
  t.equal(client.ktlsActive, true);
  return client;
}

for (const [version, { option, ciphers }] of Object.entries(versions)) {
  for (const cipher of ciphers) {
    const suite = version === 'TLSv1.3' ? ['-ciphersuites', cipher] : ['-cipher', cipher];

    t.test(`s_client against us, 3 MiB each way, ${cipher}`, { skip: openssl }, async (t) => {
      await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
        const server = await tlsServer(t, { ktls: 'require' }, (stream) => echo(stream, bulk));
        const file = await files(t);
        const data = randomBytes(bulk);
        writeFileSync(file('data'), data);
        const args = ['s_client', '-connect', `127.0.0.1:${server.port}`, option, ...suite];
        // With -quiet it takes nothing that it reads for a command, and waits for our end.
        const trust = ['-CAfile', file('root.pem'), '-verify_return_error', '-quiet'];
        const shell = 'openssl "$@" <"$0" >"$0.out"';
        const child = new Child(t, 'sh', ['-c', shell, file('data'), ...args, ...trust]);
        const stream = await server.accepted();
        await child.ended;
        t.equal(stream.getCipher()?.name, cipher);
        t.ok(readFileSync(file('data.out')).equals(data), child.stderr);
      });
    });

    t.test(`we against s_server, ${cipher}`, { skip: openssl }, async (t) => {
      await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
        const file = await files(t);
        const identity = ['-key', file('server.key'), '-cert', file('server.pem')];
        const chain = ['-cert_chain', file('chain.pem')];
        const { port } = await opensslServer(t, [...identity, ...chain, option, ...suite, '-rev']);
        const client = await dial(t, port);
        t.equal(client.getCipher()?.name, cipher);
        for (let i = 0; i < 20; i++) t.equal(await sent(client, client, 'hello\n'), 'olleh\n');
        await nextEvent(client.resume().end(), 'close');
      });
    });
  }
}

t.test('a file from s_server over HTTP', { skip: openssl }, async (t) => {
  const file = await files(t);
  const data = randomBytes(bulk);
  writeFileSync(file('data'), data);
  const identity = ['-key', file('server.key'), '-cert', file('server.pem')];
  const here = process.cwd();
  process.chdir(path.dirname(file('data')));
  t.teardown(() => process.chdir(here));
  const { port } = await opensslServer(t, [...identity, '-cert_chain', file('chain.pem'), '-WWW']);
  const client = await dial(t, port);
  client.write('GET /data HTTP/1.0\r\n\r\n');
  const answer = await readAll(client);
  t.ok(answer.subarray(-bulk).equals(data));
});

t.test('s_client resumes a session of ours', { skip: openssl }, async (t) => {
  const server = await tlsServer(t, { ktls: 'require' });
  const file = await files(t);
  for (const { option } of Object.values(versions)) {
    const session = file(`session${option}`);
    const args = ['s_client', '-connect', `127.0.0.1:${server.port}`, option];
    const talk = async (extra: string[]) => {
      const child = new Child(t, 'openssl', [...args, ...extra]);
      child.write('a line\n');
      await child.saw(/^a line$/m);
      child.endInput();
      return (await child.ended).stdout;
    };
    t.match(await talk(['-sess_out', session]), /New, TLSv1/);
    t.match(await talk(['-sess_in', session]), /Reused, TLSv1/, option);
    t.ok(server.streams.at(-1)!.negotiated.resumed && server.streams.at(-1)!.ktlsActive);
  }
});

t.test(
  'a KeyUpdate of s_client ends the connection with a clear error',
  // Then it is honoured: rekey.test.ts.
  { skip: openssl || rekeys },
  async (t) => {
    const server = await tlsServer(t, { ktls: 'require' }, (stream) =>
      stream.on('error', () => {}),
    );
    const child = new Child(t, 'openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`]);
    const stream = await server.accepted();
    const failed = nextEvent(stream.resume(), 'error');
    child.write('K\n');
    t.match((await failed)[0], { code: 'ERR_AWS_LC_KTLS_KEY_UPDATE' });
    child.endInput();
  },
);

for (const [version, priority] of [
  ['TLSv1.3', 'NORMAL:-VERS-ALL:+VERS-TLS1.3'],
  ['TLSv1.2', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'],
] as const) {
  for (const cipher of ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']) {
    t.test(`gnutls-cli against us, ${version}, ${cipher}`, { skip: gnutls }, async (t) => {
      await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
        const server = await tlsServer(t, { ktls: 'require' });
        const file = await files(t);
        const lines = Array.from({ length: 500 }, (_, i) => `line ${i} of many\n`).join('');
        const args = [
          ...['--port', String(server.port), '127.0.0.1'],
          ...['--x509cafile', file('root.pem'), '--verify-hostname', 'localhost'],
          ...['--no-ca-verification', '--sni-hostname', 'localhost', '--logfile', file('log')],
          ...['--priority', `${priority}:-CIPHER-ALL:+${cipher}`],
        ];
        const child = new Child(t, 'gnutls-cli', args, { timeout: 60_000 });
        child.write(lines);
        // It ends when its input does, and the kernel receives nothing from one who has ended with its first record.
        await child.saw(/^line 499 of many$/m, 60_000);
        child.endInput();
        const { stdout, stderr } = await child.ended;
        t.equal(stdout, lines, stderr);
        t.equal(server.streams[0]?.getProtocol(), version);
        t.equal(server.streams[0]?.closeNotifyReceived, true);
      });
    });
  }
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  t.test(`node:tls against us, 3 MiB each way, ${maxVersion}`, async (t) => {
    await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
      const server = await tlsServer(t, { ktls: 'require' }, (stream) =>
        stream.on('error', () => {}),
      );
      const ca = (await pki.root()).cert;
      const client = tls.connect({ port: server.port, ca, servername: 'localhost', maxVersion });
      t.teardown(() => client.destroy());
      await nextEvent(client, 'secureConnect');
      const stream = await server.accepted();
      t.ok(
        (await Promise.all([transferred(client, stream), transferred(stream, client)])).every(
          Boolean,
        ),
      );
      client.resume().end();
      stream.resume();
      await nextEvent(stream, 'close');
      t.equal(stream.closeNotifyReceived, true);
    });
  });

  t.test(`we against node:tls, 3 MiB each way, ${maxVersion}`, async (t) => {
    await expectInstalls(t, { tx: 1, rx: 1 }, async () => {
      const { key, cert } = await serverOptions();
      const server = tls.createServer({ key: key as string, cert: cert as string, maxVersion });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.teardown(() => server.close());
      const accepted = once(server, 'secureConnection');
      const client = await dial(t, (server.address() as net.AddressInfo).port);
      const [stream] = (await accepted) as [tls.TLSSocket];
      t.ok(
        (await Promise.all([transferred(client, stream), transferred(stream, client)])).every(
          Boolean,
        ),
      );
      stream.resume().end();
      client.resume();
      await nextEvent(client, 'close');
      t.equal(client.closeNotifyReceived, true);
    });
  });
}

t.test('nothing stays in the kernel', noneLeft);
