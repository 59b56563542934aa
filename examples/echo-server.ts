/**
 * An echo server: whatever a client sends comes back, until the client ends.
 *
 *     PORT=8443 node examples/dist/echo-server.js
 *     openssl s_client -connect localhost:8443 -CAfile examples/.certificate/ca.pem
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const acceptor = new TlsAcceptor(new ServerConfig({ key, cert, handshakeTimeout: 10_000 }));

  const echo = async (socket: Socket): Promise<void> => {
    try {
      const stream = await acceptor.accept(socket);
      const { protocol, cipher, group } = stream.negotiated;
      console.log(`${stream.remoteAddress}: ${protocol} ${cipher} ${group}`);
      pipeline(stream, stream, (error) => {
        if (error) console.error(`${error.name}: ${error.message}`);
      });
    } catch (error) {
      console.error(`handshake failed: ${String(error)}`);
    }
  };

  const server = createServer((socket) => void echo(socket));
  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`echo on localhost:${port}; clients trust ${files.ca}`);
  });
}

void main();
