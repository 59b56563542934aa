/**
 * A Fastify service that speaks h2 and HTTP/1.1 on one port.
 *
 *     PORT=8443 node examples/dist/fastify-service.js
 *     curl --cacert examples/.certificate/ca.pem https://localhost:8443/
 */
import { awsLcTls } from '@node-aws-lc/fastify-plugin';
import Fastify from 'fastify';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const app = Fastify({ logger: true });
  await app.register(awsLcTls, { key, cert });

  app.get('/', (request) => ({
    hello: 'world',
    http: request.raw.httpVersion,
    tls: request.tls?.negotiated,
  }));

  const address = await app.listen({
    port: Number(process.env['PORT'] ?? 8443),
    host: 'localhost',
  });
  app.log.info(`curl --cacert ${files.ca} ${address.replace('127.0.0.1', 'localhost')}/`);
  process.once('SIGTERM', () => void app.close());
  process.once('SIGINT', () => void app.close());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
