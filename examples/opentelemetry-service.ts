/**
 * A service whose handshakes are traced by `opentelemetry.ts`; its spans are printed as they end.
 *
 *     PORT=8443 node examples/dist/opentelemetry-service.js
 *     curl --cacert examples/.certificate/ca.pem https://localhost:8443/
 */
import type { AddressInfo } from 'node:net';
import { createSecureServer } from '@node-aws-lc/core';
import {
  BasicTracerProvider,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { developmentCertificate } from './development-certificate';
import { traceTls } from './opentelemetry';

async function main(): Promise<void> {
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
  });
  traceTls(provider.getTracer('tls'));

  const { key, cert, files } = await developmentCertificate();
  const server = createSecureServer({ key, cert }, (_request, response) => {
    response.end('traced\n');
  });
  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`https://localhost:${port}/; clients trust ${files.ca}`);
  });
}

void main();
