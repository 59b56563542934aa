import { h2load, H2LOAD } from '../loads/h2load';
import type { Scenario } from '../runner/scenario';
import { requireTool } from '../runner/tools';

const SIZES = { small: 12, '16k': 16 << 10, '1m': 1 << 20 };

export const scenarios: Scenario[] = Object.entries(SIZES).map(([size, bytes]) => ({
  name: `h1-${size}`,
  title: `HTTP/1.1 keep-alive, 32 connections, responses of ${bytes} bytes`,
  unit: 'request',
  peers: [
    { name: 'node:http', server: 'http1', stack: 'plain' },
    { name: 'node:https', server: 'http1', stack: 'node' },
    { name: 'node:https again (noise)', server: 'http1', stack: 'node' },
    { name: 'ours', server: 'http1', stack: 'ours' },
    { name: 'fastify https', server: 'fastify', stack: 'node' },
    { name: 'fastify + plugin', server: 'fastify', stack: 'ours', against: 'fastify https' },
  ],
  baseline: 'node:https',
  limit: 'node:http',
  settings: { bytes },
  prepare: () => requireTool(...H2LOAD),
  load: (target, phases, borders) => h2load(target, phases, borders, { h1: true, connections: 32 }),
}));
