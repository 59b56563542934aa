import type { Peer } from './scenario';

/** The same server of bare connections on every stack. */
export function connectionPeers(server: string): Peer[] {
  return [
    { name: 'node:net', server, stack: 'plain' },
    { name: 'node:tls', server, stack: 'node' },
    { name: 'node:tls again (noise)', server, stack: 'node' },
    { name: 'ours', server, stack: 'ours' },
  ];
}
