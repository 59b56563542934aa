/** What the library says about the host, on a host that has kernel TLS. */
import { hostKtls, hostKtlsAvailable } from '@node-aws-lc/core';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import t from 'tap';

t.test('the kernel is seen to have TLS', async (t) => {
  t.equal(hostKtlsAvailable(), true);
});

t.test('an attempt on a loopback connection finds every cipher', async (t) => {
  const host = hostKtls();
  t.equal(host.available, true);
  t.equal(host.kernel, release());
  t.same(
    [...host.ciphers].sort(),
    ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'],
    'the lab loads the modules of all three',
  );
  t.type(host.rekey, 'boolean');
  t.type(host.rxFloor, 'boolean');
});

t.test('however often one tries, no port is left occupied', async (t) => {
  const before = waitingSockets();
  for (let i = 0; i < 20; i++) hostKtls();
  t.equal(waitingSockets(), before);
});

/** The connections in TIME_WAIT, each of which has a port for a minute: tcp(7). */
function waitingSockets(): number {
  return Number(/^TCP:.* tw (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'utf8'))![1]);
}
