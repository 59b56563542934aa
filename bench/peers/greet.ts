/** Sends one byte, then the end, and waits for the client's end: one unit of a handshake load. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { listen, servePeer } from '../runner/peer-process';
import { connectionServer } from './listener';

const delay = monitorEventLoopDelay({ resolution: 1 });

servePeer(
  (setup) => {
    const server = connectionServer(setup, (stream) => {
      stream.on('error', (error) => console.error(error));
      stream.resume();
      stream.end('!');
    });
    return listen(server);
  },
  ({ ask }) => {
    if (ask === 'watch the event loop') {
      delay.enable();
      delay.reset();
      return null;
    }
    return { p50: delay.percentile(50), p99: delay.percentile(99), max: delay.max };
  },
);
