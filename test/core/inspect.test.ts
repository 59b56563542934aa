/** What util.inspect shows: what matters, and never a secret. */
import {
  ClientConfig,
  ServerConfig,
  TicketKeyRotation,
  TlsAcceptor,
  TlsConnector,
  watchCertificates,
} from '@node-aws-lc/core';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { clientOptions, sent, serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tcpPair } from '../helpers/transports.js';

/** Every way to look, the deepest included. */
function looks(value: unknown): string {
  const deep = { depth: Infinity, showHidden: true, maxArrayLength: Infinity } as const;
  return [
    inspect(value),
    inspect(value, deep),
    inspect(value, { ...deep, customInspect: false }),
    inspect({ nested: [value] }, deep),
    JSON.stringify(value),
  ].join('\n');
}

/** Forms in which bytes could show: hexadecimal with and without spaces, base64, text, numbers. */
function forms(secret: Buffer): string[] {
  const part = secret.subarray(0, 12);
  const hex = part.toString('hex');
  return [
    hex,
    hex.replace(/..(?!$)/g, '$& '),
    part.toString('base64').slice(0, 15),
    [...part].join(', '),
    [...part].join(','),
  ];
}

t.test('no object shows keys, sessions or tickets, however deep one looks', async (t) => {
  const { key, privateKey } = await pki.server();
  const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url');
  const ticketKey = randomBytes(48);
  const serverConfig = new ServerConfig(await serverOptions({ ticketKeys: ticketKey }));
  const client = await pki.client();
  const first = new TlsConnector(new ClientConfig(await clientOptions()));
  const acceptor = new TlsAcceptor(serverConfig);
  const sessions: Buffer[] = [];
  const connect = async (connector: TlsConnector) => {
    const under = await tcpPair(t);
    const accepted = acceptor.accept(under.server);
    const stream = await connector.connect('localhost', under.client);
    stream.on('session', (session: Buffer) => sessions.push(session));
    const peer = await accepted;
    for (const end of [stream, peer]) {
      end.on('error', () => {});
      t.teardown(() => end.destroy());
    }
    await sent(peer, stream, 'x');
    return { stream, peer };
  };
  await connect(first);
  const session = sessions.at(-1)!;
  const options = await clientOptions({ session, key: client.key, cert: client.chain });
  const clientConfig = new ClientConfig(options);
  const connector = new TlsConnector(clientConfig);
  const { stream, peer } = await connect(connector);

  const stored = randomBytes(48);
  const schedule = [{ key: stored, activeFrom: Date.now() }];
  const rotation = new TicketKeyRotation({ load: () => Promise.resolve(schedule) });
  await rotation.ready;
  t.teardown(() => rotation.close());
  const files = { key: path.join(t.testdir(), 'key.pem'), cert: '' };
  files.cert = path.join(path.dirname(files.key), 'cert.pem');
  writeFileSync(files.key, key);
  writeFileSync(files.cert, (await pki.server()).chain);
  const watcher = watchCertificates(files);
  t.teardown(() => watcher.close());

  const secrets: Record<string, string[]> = {
    'the private key': [...forms(scalar), key.split('\n')[1]!],
    "the client's key": [
      ...forms(Buffer.from(createPrivateKey(client.key).export({ format: 'jwk' }).d!, 'base64url')),
    ],
    'the ticket key': [...forms(ticketKey), ...forms(ticketKey.subarray(16))],
    'the stored ticket key': forms(stored),
    'the session': [
      ...forms(session),
      ...forms(session.subarray(-64)),
      ...forms(session.subarray(40)),
    ],
  };
  const objects = {
    serverConfig,
    clientConfig,
    acceptor,
    connector,
    stream,
    peer,
    'ticket keys': serverConfig.ticketKeys,
    rotation,
    watcher,
  };
  for (const [name, object] of Object.entries(objects)) {
    const shown = looks(object);
    for (const [secret, ways] of Object.entries(secrets)) {
      t.notOk(
        ways.some((way) => shown.includes(way)),
        `${name} does not show ${secret}`,
      );
    }
  }
  t.match(
    inspect(peer),
    /TlsStream \{\n {2}side: 'server'[^]*protocol: 'TLSv1.3'[^]*bytesWritten: 1/,
  );
  t.match(inspect(acceptor), /TlsAcceptor \{\s+config: ServerConfig/);
  t.match(inspect(serverConfig.ticketKeys), 'TicketKeys { accepted: 1 }');
  t.match(inspect({ a: { b: { c: { peer } } } }), '[Object]');
  t.match(inspect([[[peer]]]), '[TlsStream]');
});
