import { awsLcTls } from '@node-aws-lc/fastify-plugin';
import Fastify from 'fastify';
import { pinnedForOurs, servePeer } from '../runner/peer-process';
import { BODY } from './responder';

servePeer(async (credentials) => {
  const app = Fastify();
  await app.register(awsLcTls, { ...pinnedForOurs(credentials), alpnProtocols: ['http/1.1'] });
  app.get('/', (_request, reply) => reply.type('text/plain').send(BODY));
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
});
