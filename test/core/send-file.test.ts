/** `sendFile()` where the records are sealed in userspace: over a socket, and through any Duplex. */
import t from 'tap';
import { sendFileCases } from './send-file-cases.js';

t.setTimeout(120_000);

for (const transport of ['tcp', 'duplex'] as const) {
  t.test(`over ${transport}`, (t) => {
    sendFileCases(t, { transport, server: { ktls: 'off' }, client: { ktls: 'off' } });
    t.end();
  });
}
