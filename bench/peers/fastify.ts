/** A Fastify service that answers every request with `settings.bytes`, over HTTP/1.1. */
import { awsLcTls } from '@node-aws-lc/fastify-plugin';
import Fastify, { type FastifyInstance } from 'fastify';
import { pinnedForNode, pinnedForOurs, servePeer, type PeerSetup } from '../runner/peer-process';
import { bodyOf } from './body';

async function service(setup: PeerSetup): Promise<FastifyInstance> {
  if (setup.stack === 'node') {
    return Fastify({ https: pinnedForNode(setup) });
  }
  const app = Fastify();
  if (setup.stack === 'ours') {
    await app.register(awsLcTls, { ...pinnedForOurs(setup), alpnProtocols: ['http/1.1'] });
  }
  return app;
}

servePeer(async (setup) => {
  const app = await service(setup);
  const body = bodyOf(Number(setup.settings.bytes));
  app.get('/', (_request, reply) => reply.type('text/plain').send(body));
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
});
