import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { client } from '../loads/program';
import { workDir } from '../runner/paths';
import type { Scenario } from '../runner/scenario';

const bytes = 100 << 20;
const file = join(workDir, 'static-file');

export const scenarios: Scenario[] = [
  {
    name: 'static-file',
    title: 'a file of 100 MiB over HTTP/1.1, piped into the response, on one connection',
    unit: 'MiB',
    peers: [
      { name: 'node:http', server: 'http1', stack: 'plain' },
      { name: 'node:https', server: 'http1', stack: 'node' },
      { name: 'node:https again (noise)', server: 'http1', stack: 'node' },
      { name: 'ours', server: 'http1', stack: 'ours' },
    ],
    baseline: 'node:https',
    limit: 'node:http',
    settings: { file },
    prepare: () => {
      mkdirSync(workDir, { recursive: true });
      const descriptor = openSync(file, 'w');
      ftruncateSync(descriptor, bytes);
      closeSync(descriptor);
    },
    load: (target, phases, borders) =>
      client('bulk', target, phases, borders, { mode: 'get', bytes }),
  },
];
