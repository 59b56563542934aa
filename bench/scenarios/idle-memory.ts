import { idle, type IdleKind } from '../loads/idle';
import { connectionPeers } from '../runner/connection-peers';
import type { Scenario } from '../runner/scenario';

/** Enough that what a server has once, however many connections there are, makes no difference. */
const CONNECTIONS = 4000;

function memory(kind: IdleKind, server: string, title: string): Scenario {
  return {
    name: `idle-memory-${kind}`,
    title: `memory (RSS) per idle connection, ${title}, over ${CONNECTIONS} connections`,
    unit: 'connection',
    figure: 'KiB/connection',
    peers: connectionPeers(server),
    baseline: 'node:tls',
    limit: 'node:net',
    settings: { bytes: 12, write: 65536 },
    execArgv: ['--expose-gc'],
    onePass: true,
    load: async (target, _phases, borders) => {
      borders.start();
      const load = await idle(target, kind, CONNECTIONS);
      borders.stop();
      return load;
    },
  };
}

export const scenarios: Scenario[] = [
  memory('raw', 'bulk', 'nothing sent'),
  memory('http', 'http1', 'after one HTTP/1.1 request'),
  memory('h2', 'http2', 'after one h2 request'),
];
