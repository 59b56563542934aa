import type { ProgramReport } from '../loads/program';
import type { Scenario } from '../runner/scenario';

function undici(name: string, server: string, bytes: number, streams: number): Scenario {
  const connections = server === 'http2' ? 1 : 10;
  const protocol = server === 'http2' ? 'h2' : 'HTTP/1.1';
  return {
    name,
    title: `undici client, ${protocol}, ${connections} connections, ${streams} requests at a time on each, responses of ${bytes} bytes; the client's CPU`,
    unit: 'request',
    peers: [
      ...(server === 'http2'
        ? [] // undici speaks h2 over TLS only.
        : [{ name: 'undici, http', server: 'undici', stack: 'plain' as const }]),
      { name: 'undici', server: 'undici', stack: 'node' },
      { name: 'undici again (noise)', server: 'undici', stack: 'node' },
      { name: 'undici + our connector', server: 'undici', stack: 'ours' },
    ],
    baseline: 'undici',
    limit: server === 'http2' ? undefined : 'undici, http',
    settings: { server, bytes },
    load: async ({ ask }, phases, borders) => {
      const question = { ask: 'request', connections, streams, ...phases };
      const { units, seconds, ...latency } = (await ask(question, borders)) as ProgramReport;
      return { units, seconds, latency };
    },
  };
}

export const scenarios: Scenario[] = [
  undici('undici-h1-small', 'http1', 12, 1),
  undici('undici-h1-bulk', 'http1', 1 << 20, 1),
  undici('undici-h2-small', 'http2', 12, 20),
  undici('undici-h2-bulk', 'http2', 1 << 20, 4),
];
