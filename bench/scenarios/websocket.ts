import { client } from '../loads/program';
import type { Scenario } from '../runner/scenario';

const connections = 32;
const bytes = 64;

export const scenarios: Scenario[] = [
  {
    name: 'websocket',
    title: `WebSocket echo, ${connections} connections, messages of ${bytes} bytes`,
    unit: 'message',
    peers: [
      { name: 'ws on node:http', server: 'websocket', stack: 'plain' },
      { name: 'ws on node:https', server: 'websocket', stack: 'node' },
      { name: 'ws on node:https again (noise)', server: 'websocket', stack: 'node' },
      { name: 'ws on ours', server: 'websocket', stack: 'ours' },
    ],
    baseline: 'ws on node:https',
    limit: 'ws on node:http',
    load: (target, phases, borders) =>
      client('websocket', target, phases, borders, { connections, bytes }),
  },
];
