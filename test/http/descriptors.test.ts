import t from 'tap';
import { join } from 'node:path';
import { runNode } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { missing } from '../helpers/tools.js';

const skip = missing('prlimit', 'util-linux');

t.test('h2 is served when the process has no descriptor left', { skip }, async (t) => {
  const { key, chain: cert } = await pki.serverFor(['dns:localhost'], 'localhost');
  const ca = (await pki.root()).cert;
  const script = join(__dirname, 'programs', 'no-descriptors.js');
  const env = { IDENTITY: JSON.stringify({ key, cert, ca }) };
  t.match(await runNode(t, script, [], { env }), {
    code: 0,
    stdout: 'without: served\nwith: served\n',
  });
});
