import { compileHandshakes, handshakes } from '../loads/handshakes';
import type { Scenario } from '../runner/scenario';

export const scenario: Scenario = {
  name: 'handshake',
  title: 'full TLS 1.3 handshakes, 8 at a time: connect, one byte from the server, orderly close',
  unit: 'handshake',
  peers: [
    { name: 'node:net', server: 'net', tls: false },
    { name: 'node:tls', server: 'tls' },
    { name: 'node:tls again (noise)', server: 'tls' },
    { name: 'ours', server: 'tls-ours' },
  ],
  baseline: 'node:tls',
  limit: 'node:net',
  prepare: compileHandshakes,
  load: (target, phases, borders) => handshakes(target, phases, borders, 8),
};
