/** Writes without end to a client that sends `download`, and reads what any other sends. */
import type { Duplex } from 'node:stream';
import { listen, servePeer } from '../runner/peer-process';
import { collect } from './collect';
import { connectionServer } from './listener';

function download(stream: Duplex, piece: Buffer): void {
  const go = () => {
    while (!stream.destroyed && stream.write(piece));
  };
  stream.on('drain', go);
  go();
}

servePeer((setup) => {
  const piece = Buffer.alloc(Number(setup.settings.write), 'x');
  const server = connectionServer(setup, (stream) => {
    stream.on('error', () => {}); // The client leaves in the middle.
    stream.once('data', (first: Buffer) => {
      if (first.toString('latin1') === 'download') download(stream, piece);
      stream.resume();
    });
  });
  return listen(server);
}, collect);
