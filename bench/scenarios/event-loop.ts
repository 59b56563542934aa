import { compileHandshakes, handshakes } from '../loads/handshakes';
import { connectionPeers } from '../runner/connection-peers';
import type { Scenario } from '../runner/scenario';

/** New connections a second. */
const rate = 500;

export const scenarios: Scenario[] = [
  {
    name: 'event-loop-delay',
    title: `delay of the event loop under ${rate} new RSA handshakes a second (perf_hooks, 1 ms resolution)`,
    unit: 'handshake',
    figure: 'loop delay p99, µs',
    peers: connectionPeers('greet'),
    baseline: 'node:tls',
    pin: { certificate: 'RSA-2048' },
    onePass: true,
    prepare: compileHandshakes,
    load: async (target, phases, borders) => {
      const watched: Promise<unknown>[] = [];
      const load = await handshakes(
        target,
        phases,
        {
          start: () => {
            borders.start();
            watched.push(target.ask({ ask: 'watch the event loop' }));
          },
          stop: () => borders.stop(),
        },
        // Or the delay would be that of a process that does not get the processor.
        { concurrency: 32, rate, yielding: true },
      );
      await Promise.all(watched);
      const nanos = (await target.ask({ ask: 'event loop delay' })) as Record<string, number>;
      const micros = (name: string) => (nanos[name] ?? NaN) / 1000;
      const notes = { loopP50: micros('p50'), loopMax: micros('max') };
      return { ...load, cost: micros('p99'), notes: { ...load.notes, ...notes } };
    },
  },
];
