import { client } from '../loads/program';
import { connectionPeers } from '../runner/connection-peers';
import type { Scenario } from '../runner/scenario';

const SUITES = {
  aes128: 'TLS_AES_128_GCM_SHA256',
  aes256: 'TLS_AES_256_GCM_SHA384',
  chacha20: 'TLS_CHACHA20_POLY1305_SHA256',
};
const WRITES = { '4k': 4 << 10, '64k': 64 << 10, '1m': 1 << 20 };
const MODES = ['download', 'upload'] as const;

export const scenarios: Scenario[] = MODES.flatMap((mode) =>
  Object.entries(SUITES).flatMap(([cipher, suite]) =>
    Object.entries(WRITES).map(([size, write]) => ({
      name: `${mode}-${size}-${cipher}`,
      title: `bulk ${mode} on one connection, writes of ${write} bytes`,
      unit: 'MiB',
      peers: connectionPeers('bulk'),
      baseline: 'node:tls',
      limit: 'node:net',
      pin: { suite },
      settings: { write },
      load: (target, phases, borders) => client('bulk', target, phases, borders, { mode, write }),
    })),
  ),
);
