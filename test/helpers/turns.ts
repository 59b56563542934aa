/** How much of a stream is read before anybody else in the process has his turn. */
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { within } from './wait.js';

/** As many bytes as wait for the reader, and more: what it then reads at most in one turn of the event loop. */
export async function mostInOneTurn(writer: Duplex, reader: Duplex): Promise<number> {
  const length = 16 * 1024 * 1024;
  writer.write(Buffer.alloc(length));
  await sleep(300);
  let [inTurn, most, received] = [0, 0, 0];
  reader.on('data', (chunk: Buffer) => {
    inTurn += chunk.length;
    received += chunk.length;
    most = Math.max(most, inTurn);
  });
  const counting = async (): Promise<void> => {
    while (received < length) {
      inTurn = 0;
      await nextTurn();
    }
  };
  await within('all of it', counting(), 60_000);
  return most;
}
