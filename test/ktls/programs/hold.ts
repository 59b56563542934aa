/**
 * One end of a connection, in a process of its own, so that its memory can be looked through. Prints
 * the port that it listens on, if it is the server, and what the kernel does when the connection is
 * there; then says a word whenever it hears one.
 */
import { ClientConfig, ServerConfig, TlsAcceptor, TlsConnector } from '@node-aws-lc/core';
import type { ClientConfigOptions, ServerConfigOptions, TlsStream } from '@node-aws-lc/core';
import net from 'node:net';

/** What the program is told, as JSON. */
export type Told =
  | { side: 'server'; options: ServerConfigOptions }
  | { side: 'client'; options: ClientConfigOptions; port: number };

const told = JSON.parse(process.argv[2]!) as Told;
if (told.side === 'server') {
  const acceptor = new TlsAcceptor(new ServerConfig(told.options));
  const server = net.createServer((socket) => void acceptor.accept(socket).then(hold));
  server.listen(0, '127.0.0.1', () =>
    console.log(`port ${(server.address() as net.AddressInfo).port}`),
  );
} else {
  const connector = new TlsConnector(new ClientConfig(told.options));
  void connector.connect('localhost', net.connect(told.port, '127.0.0.1')).then(hold);
}

function hold(stream: TlsStream): void {
  stream.on('error', (error) => console.log(error));
  stream.on('data', (chunk: Buffer) => stream.write(chunk));
  stream.once('data', () => setImmediate(() => console.log(`ktls ${JSON.stringify(stream.ktls)}`)));
}
