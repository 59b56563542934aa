import { compileHandshakes, handshakes } from '../loads/handshakes';
import { connectionPeers } from '../runner/connection-peers';
import type { Scenario } from '../runner/scenario';

function handshake(
  name: string,
  title: string,
  more: Pick<Scenario, 'pin' | 'oldestNode'>,
  resume = false,
): Scenario {
  return {
    name,
    title: `${title}, 8 at a time: connect, one byte from the server, orderly close`,
    unit: 'handshake',
    peers: connectionPeers('greet'),
    baseline: 'node:tls',
    limit: 'node:net',
    ...more,
    prepare: compileHandshakes,
    load: (target, phases, borders) =>
      handshakes(target, phases, borders, { concurrency: 8, resume }),
  };
}

export const scenarios: Scenario[] = [
  handshake('handshake-ecdsa', 'full TLS 1.3 handshakes, ECDSA P-256', {}),
  handshake('handshake-rsa', 'full TLS 1.3 handshakes, RSA-2048', {
    pin: { certificate: 'RSA-2048' },
  }),
  handshake('handshake-mlkem', 'full TLS 1.3 handshakes, ECDSA P-256, X25519MLKEM768', {
    pin: { group: 'X25519MLKEM768' },
    oldestNode: 24,
  }),
  handshake('handshake-resumed', 'resumed TLS 1.3 handshakes, with (EC)DHE', {}, true),
];
