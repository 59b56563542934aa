/** `sendFile()` where the kernel seals: with sendfile(2), and the same in every way that can be seen. */
import t from 'tap';
import { sendFileCases } from '../core/send-file-cases.js';
import { noneLeft } from './statistics.js';

t.setTimeout(170_000);

t.test('both directions in the kernel', (t) => {
  sendFileCases(t, { server: { ktls: 'require' }, client: { ktls: 'require' } });
  t.end();
});

t.test('nothing stays in the kernel', noneLeft);
