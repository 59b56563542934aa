import t from 'tap';
import { join } from 'node:path';
import type * as admission from '../../packages/core/src/http/admission.js';

// Not exported by the package: addresses of other machines cannot be had on this one.
const file = join(__dirname, '../../../packages/core/dist/http/admission.js');

t.test('an address is counted under its network', async (t) => {
  const { networkOf } = (await import(file)) as typeof admission;
  t.equal(networkOf('192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  t.equal(networkOf('2001:db8:1:2::6'), '2001:db8:1:2::/64');
  t.equal(networkOf('2001:db8::6'), '2001:db8:0:0::/64');
  t.equal(networkOf('::1'), '0:0:0:0::/64');
  t.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  t.equal(networkOf(undefined), undefined, 'a Unix socket');
});
