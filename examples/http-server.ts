/**
 * HTTP/1.1 and h2 on one port with a listener of `node:http`.
 *
 *     PORT=8443 node examples/dist/http-server.js
 *     curl --cacert examples/.certificate/ca.pem https://localhost:8443/
 */
import type { AddressInfo } from 'node:net';
import { createSecureServer, type TlsStream } from '@node-aws-lc/core';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const server = createSecureServer(
    { key, cert, handshakeTimeout: 10_000 },
    (request, response) => {
      const { negotiated } = request.socket as TlsStream;
      response.setHeader('content-type', 'application/json');
      response.end(`${JSON.stringify({ url: request.url, tls: negotiated })}\n`);
    },
  );

  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`curl --cacert ${files.ca} https://localhost:${port}/`);
  });
  process.once('SIGTERM', () => server.close());
}

void main();
