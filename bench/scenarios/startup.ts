import type { Scenario } from '../runner/scenario';

function startup(name: string, figure: string, pick: 'millis' | 'kib'): Scenario {
  return {
    name,
    title: 'what importing the module takes, in a fresh process with a warm disk cache',
    unit: 'import',
    figure,
    peers: [
      { name: 'node:tls', server: 'startup', stack: 'node' },
      { name: 'node:tls again (noise)', server: 'startup', stack: 'node' },
      { name: '@node-aws-lc/core', server: 'startup', stack: 'ours' },
    ],
    baseline: 'node:tls',
    settings: { node: 'node:tls', ours: '@node-aws-lc/core' },
    onePass: true,
    load: async ({ ask }, _phases, borders) => {
      borders.start();
      const seen = (await ask({ ask: 'startup' })) as Record<typeof pick, number>;
      borders.stop();
      const micros = 1000 * seen.millis;
      const latency = { p50: micros, p90: micros, p99: micros, max: micros };
      return { units: 1, seconds: micros / 1e6, latency, cost: seen[pick] };
    },
  };
}

export const scenarios: Scenario[] = [
  startup('startup-time', 'ms', 'millis'),
  startup('startup-memory', 'KiB', 'kib'),
];
