import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { pinnedForNode, pinnedForOurs, type PeerSetup } from '../runner/peer-process';

/** A server that hands every connection to `serve` once its handshake is done. */
export function connectionServer(setup: PeerSetup, serve: (stream: Duplex) => void): net.Server {
  if (setup.stack === 'plain') return net.createServer(serve);
  if (setup.stack === 'node') {
    const server = tls.createServer(pinnedForNode(setup), serve);
    return server.on('tlsClientError', (error) => console.error(error));
  }
  const acceptor = new TlsAcceptor(new ServerConfig(pinnedForOurs(setup)));
  return net.createServer((socket) => {
    acceptor.accept(socket).then(serve, (error: unknown) => console.error(error));
  });
}
