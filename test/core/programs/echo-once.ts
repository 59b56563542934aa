/** One connection of the library with itself, and nothing on the standard streams. */
import {
  ClientConfig,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import net from 'node:net';
import { clientOptions, serverOptions } from '../../helpers/handshake.js';

async function main(): Promise<void> {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const listener = net.createServer((socket) => {
    void acceptor.accept(socket).then((stream: TlsStream) => stream.pipe(stream));
  });
  listener.listen(0, '127.0.0.1', () => {
    void call((listener.address() as net.AddressInfo).port);
  });
  const call = async (port: number): Promise<void> => {
    const connector = new TlsConnector(new ClientConfig(await clientOptions()));
    const stream = await connector.connect('localhost', net.connect(port, '127.0.0.1'));
    stream.on('data', () => stream.end()).on('close', () => listener.close());
    stream.write('echo');
  };
}

void main();
