/**
 * An Express application on HTTP/1.1 and h2, on one port.
 *
 *     PORT=8443 node examples/dist/express-server.js
 *     curl --cacert examples/.certificate/ca.pem --json '{"hello":"world"}' https://localhost:8443/
 */
import type { AddressInfo } from 'node:net';
import { createSecureServer } from '@node-aws-lc/core';
import express from 'express';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const app = express();
  app.use(express.json());
  app.get('/', ({ httpVersion, protocol, hostname }, response) => {
    response.json({ http: httpVersion, protocol, hostname });
  });
  app.post('/', ({ body }, response) => {
    response.status(201).json({ received: body as unknown });
  });

  const server = createSecureServer({ key, cert }, app);
  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`curl --cacert ${files.ca} https://localhost:${port}/`);
  });
  process.once('SIGTERM', () => server.close());
}

void main();
