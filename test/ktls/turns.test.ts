/** A backlog is read in turns with everybody else, whoever opens the records. */
import t from 'tap';
import { connected } from '../helpers/handshake.js';
import { mostInOneTurn } from '../helpers/turns.js';

for (const direction of ['tx', 'rx'] as const) {
  t.test(`with ${direction} in the kernel`, async (t) => {
    const { client, server } = await connected(t, { server: { ktls: { [direction]: 'require' } } });
    t.ok((await mostInOneTurn(client, server)) <= 1024 * 1024);
  });
}
