import Fastify from 'fastify';
import { pinnedForNode, servePeer } from '../runner/peer-process';
import { BODY } from './responder';

servePeer(async (credentials) => {
  const app = Fastify({ https: pinnedForNode(credentials) });
  app.get('/', (_request, reply) => reply.type('text/plain').send(BODY));
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
});
