import { h2load, H2LOAD } from '../loads/h2load';
import type { Scenario } from '../runner/scenario';
import { requireTool } from '../runner/tools';

export const scenario: Scenario = {
  name: 'h1-small',
  title: 'HTTP/1.1 keep-alive, 32 connections, responses of 12 bytes',
  unit: 'request',
  peers: [
    { name: 'node:http', server: 'http', tls: false },
    { name: 'node:https', server: 'https' },
    { name: 'node:https again (noise)', server: 'https' },
    { name: 'ours', server: 'https-ours' },
    { name: 'fastify https', server: 'fastify-https' },
    { name: 'fastify + plugin', server: 'fastify-ours', against: 'fastify https' },
  ],
  baseline: 'node:https',
  limit: 'node:http',
  prepare: () => requireTool(...H2LOAD),
  load: (target, phases, borders) => h2load(target, phases, borders, { h1: true, connections: 32 }),
};
