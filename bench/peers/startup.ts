/** What it takes to import `settings.<stack>`, measured in a process that has nothing else. */
import { createRequire } from 'node:module';
import { servePeer, type PeerSetup } from '../runner/peer-process';

let seen: { millis: number; kib: number };

const load = createRequire(__filename);

servePeer(
  ({ stack, settings }: PeerSetup) => {
    const before = process.memoryUsage.rss();
    const begin = performance.now();
    load(String(settings[stack]));
    seen = {
      millis: performance.now() - begin,
      kib: (process.memoryUsage.rss() - before) / 1024,
    };
    return 0;
  },
  () => seen,
);
