/**
 * A Fastify service that knows its clients by their certificates: whoever has one of the authority in
 * the file CLIENT_CA may connect, and each route says who of them may use it.
 *
 *     CLIENT_CA=clients.pem PORT=8443 node examples/dist/mtls-service.js
 *     curl --cacert examples/.certificate/ca.pem --cert billing.pem --key billing-key.pem \
 *       https://localhost:8443/orders
 */
import { authorizeClient, awsLcTls } from '@node-aws-lc/fastify-plugin';
import Fastify from 'fastify';
import { developmentCertificate } from './development-certificate';

async function main(): Promise<void> {
  const { key, cert, files } = await developmentCertificate();
  const caFile = process.env['CLIENT_CA'] ?? files.ca;
  const app = Fastify({ logger: true });
  // 'optional': what is shown is verified, and whoever shows nothing can still ask for the health.
  await app.register(awsLcTls, { key, cert, clientAuth: 'optional', caFile });

  app.get('/health', () => ({ ok: true }));
  app.get('/orders', { onRequest: authorizeClient() }, (request) => ({
    for: request.tls?.peerCertificate()?.subject,
  }));
  const ofAudit = authorizeClient(({ subject }) => subject === 'CN=audit');
  app.get('/audit', { onRequest: ofAudit }, () => ({ records: [] }));

  const address = await app.listen({
    port: Number(process.env['PORT'] ?? 8443),
    host: 'localhost',
  });
  app.log.info(`curl --cacert ${files.ca} ${address.replace('127.0.0.1', 'localhost')}/health`);
  process.once('SIGTERM', () => void app.close());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
