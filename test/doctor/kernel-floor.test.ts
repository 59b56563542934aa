/** Which kernels have the receive path's two defects, by all the names that kernels go by. */
import t from 'tap';
import {
  isReceivePathSafe,
  parseRelease,
  receivePathDefect,
  receivePathMendedIn,
  upstreamRelease,
} from './internals.js';

const RELEASES: [release: string, safe: boolean][] = [
  ['4.19.0', true],
  ['5.15.131', true],
  ['5.19.17', true],
  ['6.0.0', false],
  ['6.1.153', false],
  ['6.1.154', true],
  ['6.5.0', false],
  ['6.6.107', false],
  ['6.6.108', true],
  ['6.8.12', false],
  ['6.12.48', false],
  ['6.12.49', true],
  ['6.15.99', false],
  ['6.16.8', false],
  ['6.16.9', true],
  ['6.17.0', true],
  ['7.2.7', true],
];

for (const [release, safe] of RELEASES) {
  t.equal(isReceivePathSafe(parseRelease(release)), safe, release);
}

t.test('the refusal says what is wrong and what overrides it', async (t) => {
  const words = /Linux 6\.8\.12 has CVE-2025-39682 and CVE-2025-39946 .*ignoreKernelFloor/;
  t.match(receivePathDefect(parseRelease('6.8.12'), '6.8.12'), words);
  t.equal(receivePathDefect(parseRelease('6.17.0'), '6.17.0'), undefined);
});

t.test(
  'a release that nobody can read is not safe, unless the build tells a better one',
  async (t) => {
    for (const name of ['custom', '', 'v6', '6']) {
      t.equal(parseRelease(name), null, name);
      t.equal(isReceivePathSafe(parseRelease(name)), false, name);
      t.match(receivePathDefect(null, name), /does not tell .*ignoreKernelFloor/);
      t.equal(upstreamRelease(name, '#1 SMP'), name);
    }
    t.equal(upstreamRelease('custom', '#1 SMP Debian 6.1.192-2 (2026-11-02)'), '6.1.192');
  },
);

t.test('the release that mends a series is named, if there is one', async (t) => {
  t.equal(receivePathMendedIn(parseRelease('6.1.0')), '6.1.154');
  t.equal(receivePathMendedIn(parseRelease('6.12.1')), '6.12.49');
  t.equal(receivePathMendedIn(parseRelease('6.8.0')), undefined);
});

t.test('a distribution that hides the patch level is asked for it', async (t) => {
  const debian = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-02)';
  t.equal(upstreamRelease('6.1.0-56-cloud-amd64', debian), '6.1.192');
  t.equal(upstreamRelease('6.1.0-9-amd64', 'Debian 6.1.27-1 (2023-05-08)'), '6.1.27');
  const ubuntu = 'Ubuntu 6.8.0-31.31-generic 6.8.1\n';
  t.equal(upstreamRelease('6.8.0-31-generic', '#31-Ubuntu SMP', ubuntu), '6.8.1');
  t.equal(upstreamRelease('6.6.52+rpt-rpi-v8', '#1 SMP Debian 1:6.6.51-1'), '6.6.52');
  t.equal(upstreamRelease('6.17.2-arch1-1', '#1 SMP PREEMPT_DYNAMIC'), '6.17.2');
  t.equal(upstreamRelease('6.18', '#1 SMP'), '6.18.0');
  t.equal(upstreamRelease('6.12.9', '#1 Debian 6.1.4-1'), '6.12.9', 'another series is no answer');
});
