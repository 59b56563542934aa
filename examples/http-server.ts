/**
 * Node's own `http` server with TLS in front of it.
 *
 *     PORT=8443 node examples/dist/http-server.js
 *     curl --cacert examples/.certificate/ca.pem https://localhost:8443/
 */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ServerConfig, TlsAcceptor, type TlsStream } from '@node-aws-lc/core';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const acceptor = new TlsAcceptor(
    new ServerConfig({ key, cert, ALPNProtocols: ['http/1.1'], handshakeTimeout: 10_000 }),
  );
  const server = createServer((request, response) => {
    const { negotiated } = request.socket as TlsStream;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ url: request.url, tls: negotiated })}\n`);
  });

  // The server that listens must be the one that parses requests: only a listening http server
  // enforces its headers and request timeouts. So TLS is put between it and its own listener.
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    acceptor.accept(socket).then(
      (stream) => {
        for (const listener of listeners) listener.call(server, stream);
      },
      (error: unknown) => console.error(`handshake failed: ${String(error)}`),
    );
  });

  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`curl --cacert ${files.ca} https://localhost:${port}/`);
  });
}

void main();
