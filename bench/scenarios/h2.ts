import { h2load, H2LOAD } from '../loads/h2load';
import type { Scenario } from '../runner/scenario';
import { requireTool } from '../runner/tools';

function h2(name: string, bytes: number, connections: number, streams: number): Scenario {
  return {
    name,
    title: `h2, ${connections} connections, ${streams} requests at a time on each, responses of ${bytes} bytes`,
    unit: 'request',
    peers: [
      { name: 'node:http2, clear', server: 'http2', stack: 'plain' },
      { name: 'node:http2', server: 'http2', stack: 'node' },
      { name: 'node:http2 again (noise)', server: 'http2', stack: 'node' },
      { name: 'ours', server: 'http2', stack: 'ours' },
    ],
    baseline: 'node:http2',
    limit: 'node:http2, clear',
    settings: { bytes },
    prepare: () => requireTool(...H2LOAD),
    load: (target, phases, borders) =>
      h2load(target, phases, borders, { h1: false, connections, streams }),
  };
}

export const scenarios: Scenario[] = [
  h2('h2-small-m1', 12, 10, 1),
  h2('h2-small-m20', 12, 10, 20),
  h2('h2-small-m100', 12, 10, 100),
  h2('h2-1m', 1 << 20, 4, 4),
];
