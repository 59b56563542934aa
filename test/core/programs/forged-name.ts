/** A server of the library, and a client of node:tls that asks for a name that no host has: the program's argument. */
import { ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import net from 'node:net';
import tls from 'node:tls';
import { serverOptions } from '../../helpers/handshake.js';

async function main(): Promise<void> {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const listener = net.createServer((socket) => {
    void acceptor.accept(socket).then((stream) => stream.resume().end());
  });
  listener.listen(0, '127.0.0.1', () => {
    const { port } = listener.address() as net.AddressInfo;
    const servername = process.argv[2]!;
    const client = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
    client.resume().on('close', () => listener.close());
  });
}

void main();
