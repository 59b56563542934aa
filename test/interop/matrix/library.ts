/** This library and node:tls, which are called in the same way. */
import {
  ClientConfig,
  type ClientConfigOptions,
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
} from '@node-aws-lc/core';
import net from 'node:net';
import tls from 'node:tls';
import type { Test } from 'tap';
import * as pki from '../../helpers/pki.js';
import { nextEvent } from '../../helpers/wait.js';
import { type CallTarget, type Cell, type Credentials, type Peer, retriedGroup } from './cell.js';

interface Library {
  listen: (options: ServerConfigOptions, echo: (stream: net.Socket) => void) => net.Server;
  connect: (options: ClientConfigOptions, port: number) => Promise<tls.TLSSocket>;
}

function peer(name: string, { listen, connect }: Library): Peer {
  const once = async (target: CallTarget, options: ClientConfigOptions) => {
    const socket = await connect(options, target.port);
    let session: Buffer | undefined = socket.getSession();
    socket.on('session', (fresh: Buffer) => (session = fresh));
    socket.write(`${target.line}\n`);
    let line = '';
    while (!line.endsWith('\n')) line += String((await nextEvent(socket, 'data'))[0]);
    await new Promise(setImmediate);
    const seen = { version: socket.getProtocol() ?? '', resumed: socket.isSessionReused() };
    socket.destroy();
    return { ...seen, line: line.trim(), session };
  };
  return {
    name,
    missing: false,
    async serve(t: Test, { version, handshake }: Cell, { server: own }: Credentials) {
      const server = listen(
        {
          key: own.key,
          cert: own.chain,
          maxVersion: version,
          ...(handshake === 'mTLS'
            ? { requestCert: true, rejectUnauthorized: true, ca: (await pki.clientRoot()).cert }
            : {}),
          ...(handshake === 'HelloRetryRequest' ? { ecdhCurve: retriedGroup } : {}),
        },
        (stream) => void stream.on('error', () => {}).pipe(stream),
      );
      server.listen(0, '127.0.0.1');
      t.teardown(() => server.close());
      await nextEvent(server, 'listening');
      return { port: (server.address() as net.AddressInfo).port, answer: (line) => line };
    },
    async call(_t, { handshake }, { client: own }, target) {
      const options: ClientConfigOptions = {
        ca: (await pki.root()).cert,
        ...(handshake === 'mTLS' ? { key: own.key, cert: own.chain } : {}),
      };
      const first = await once(target, options);
      if (handshake !== 'resumed') return first;
      return once(target, first.session ? { ...options, session: first.session } : options);
    },
  };
}

export const ours = peer('this library', {
  listen(options, echo) {
    const acceptor = new TlsAcceptor(new ServerConfig(options));
    return net.createServer((socket) => void acceptor.accept(socket).then(echo, () => {}));
  },
  async connect(options, port) {
    const connector = new TlsConnector(new ClientConfig(options));
    const stream: unknown = await connector.connect('localhost', net.connect(port, '127.0.0.1'));
    return stream as tls.TLSSocket;
  },
});

export const nodeTls = peer('node:tls', {
  listen: (options, echo) => tls.createServer(options as tls.TlsOptions, echo),
  async connect(options, port) {
    const target = { port, host: '127.0.0.1', servername: 'localhost' };
    const socket = tls.connect({ ...(options as tls.ConnectionOptions), ...target });
    await nextEvent(socket, 'secureConnect');
    return socket;
  },
});
