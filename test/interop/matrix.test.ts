/** Every kind of handshake between this library and node:tls, in both roles. */
import { ClientConfig, ServerConfig, TlsAcceptor, TlsConnector } from '@node-aws-lc/core';
import net from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import * as pki from '../helpers/pki.js';
import { nextEvent, within } from '../helpers/wait.js';

const kinds = { RSA: pki.serverRsa, ECDSA: pki.server, Ed25519: pki.serverEd25519 };
const handshakes = ['full', 'resumed', 'mTLS', 'HelloRetryRequest'] as const;
type Version = 'TLSv1.2' | 'TLSv1.3';

interface Options {
  server: tls.TlsOptions & { ecdhCurve?: string };
  client: tls.ConnectionOptions;
}

type Peer = 'ours' | 'node:tls';

async function serve(t: Test, peer: Peer, options: Options['server']): Promise<number> {
  const echo = (stream: tls.TLSSocket | net.Socket): void => {
    stream.on('error', () => {}).pipe(stream);
  };
  const acceptor =
    peer === 'ours' ? new TlsAcceptor(new ServerConfig(options as never)) : undefined;
  const server = acceptor
    ? net.createServer((socket) => void acceptor.accept(socket).then(echo, () => {}))
    : tls.createServer(options, echo);
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await nextEvent(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** Connects, sends a line back and forth, and answers whether the session was resumed, and the session. */
async function call(peer: Peer, port: number, options: tls.ConnectionOptions) {
  let socket: tls.TLSSocket;
  if (peer === 'ours') {
    const connector = new TlsConnector(new ClientConfig(options as never));
    socket = (await connector.connect('localhost', net.connect(port, '127.0.0.1'))) as never;
  } else {
    socket = tls.connect({ ...options, port, host: '127.0.0.1', servername: 'localhost' });
    await nextEvent(socket, 'secureConnect');
  }
  let session: Buffer | undefined = socket.getSession();
  socket.on('session', (fresh: Buffer) => (session = fresh));
  socket.write('a line');
  const [line] = await nextEvent(socket, 'data');
  await new Promise(setImmediate);
  const outcome = { line: String(line), resumed: socket.isSessionReused(), session };
  socket.destroy();
  return outcome;
}

for (const [client, server] of [
  ['ours', 'ours'],
  ['ours', 'node:tls'],
  ['node:tls', 'ours'],
] as [Peer, Peer][]) {
  t.test(`${client} calls ${server}`, async (t) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as Version[]) {
      for (const [kind, make] of Object.entries(kinds)) {
        for (const handshake of handshakes) {
          if (handshake === 'HelloRetryRequest' && version === 'TLSv1.2') continue;
          const identity = await make();
          const own = await pki.client();
          const mutual = handshake === 'mTLS';
          const port = await serve(t, server, {
            key: identity.key,
            cert: identity.chain,
            maxVersion: version,
            ...(mutual ? { requestCert: true, ca: (await pki.clientRoot()).cert } : {}),
            // Not the group that the client sends a share of.
            ...(handshake === 'HelloRetryRequest' ? { ecdhCurve: 'P-384' } : {}),
          });
          const options = {
            ca: (await pki.root()).cert,
            ...(mutual ? { key: own.key, cert: own.chain } : {}),
          };
          let seen = await within('the connection', call(client, port, options));
          if (handshake === 'resumed') {
            const { session } = seen;
            seen = await within('the connection', call(client, port, { ...options, session }));
          }
          const cell = `${version}, ${kind}, ${handshake}`;
          t.match(seen, { line: 'a line', resumed: handshake === 'resumed' }, cell);
        }
      }
    }
  });
}
