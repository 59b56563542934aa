/**
 * A Hono application on HTTP/1.1 and h2, on one port.
 *
 *     PORT=8443 node examples/dist/hono-server.js
 *     curl --cacert examples/.certificate/ca.pem --json '{"hello":"world"}' https://localhost:8443/
 */
import type { AddressInfo } from 'node:net';
import { createSecureServer } from '@node-aws-lc/core';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const app = new Hono();
  app.get('/', (context) => context.json({ url: context.req.url }));
  app.post('/', async (context) =>
    context.json({ received: await context.req.json<unknown>() }, 201),
  );

  const server = createSecureServer({ key, cert }, getRequestListener(app.fetch));
  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`curl --cacert ${files.ca} https://localhost:${port}/`);
  });
  process.once('SIGTERM', () => server.close());
}

void main();
