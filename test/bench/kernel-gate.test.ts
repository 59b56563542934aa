/** The regression gate of the kernel's benchmark: what it lets pass, what not, and by which figures. */
import { createRequire } from 'node:module';
import path from 'node:path';
import t from 'tap';
import type * as Baselines from '../../bench/kernel-lab/baseline';

const { judge } = createRequire(__filename)(
  path.join(__dirname, '..', '..', '..', 'bench', 'dist', 'kernel-lab', 'baseline.js'),
) as typeof Baselines;

const versions = { node: 'v20.0.0', kernel: '6.1.0-1-cloud-amd64', qemu: '7.2.0', awsLc: '5.0.0' };
const baseline = {
  versions,
  counts: { download: { 'node:tls': 4, 'ours, userspace': 3 }, http: { 'ours, kTLS both': 100 } },
};

const count = (median: number) => ({ median, mean: 1.2 * median });
const measured = (ours: number, node = 4, changes: Partial<typeof versions> = {}) => ({
  versions: { ...versions, ...changes },
  counts: {
    download: { 'node:tls': count(node), 'ours, userspace': count(ours) },
    http: { 'node:tls': count(200), 'ours, kTLS both': count(100) },
  },
});

t.test('3 % more is an accident, more is not', async (t) => {
  t.equal(judge(measured(3), baseline).failed, false);
  t.equal(judge(measured(3.08), baseline).failed, false);
  const { failed, lines } = judge(measured(3.1), baseline);
  t.equal(failed, true);
  t.match(
    lines.join('\n'),
    /FAILED download: ours, userspace: 3\.100, baseline 3\.000 \(\+3\.3 %\)/,
  );
});

t.test('fewer instructions pass', async (t) => {
  t.equal(judge(measured(2), baseline).failed, false);
});

t.test('what node:tls takes is no matter, on the kernel of the baseline', async (t) => {
  t.equal(judge(measured(3, 9), baseline).failed, false);
});

t.test('on another kernel each row is judged by node:tls in the same boot', async (t) => {
  const full = { ...baseline, counts: { download: baseline.counts.download } };
  const kernel = '6.1.0-2-cloud-amd64';
  t.equal(judge(measured(3.6, 4.8, { kernel }), full).failed, false, 'both took more');
  const { failed, lines } = judge(measured(3.6, 4, { kernel }), full);
  t.equal(failed, true);
  t.match(
    lines[0],
    /that is for Linux 6\.1\.0-1-cloud-amd64 and qemu 7\.2\.0, this is Linux 6\.1\.0-2/,
  );
});

t.test('a row that was not measured fails', async (t) => {
  const { counts, ...rest } = measured(3);
  t.equal(judge({ ...rest, counts: { download: counts.download } }, baseline).failed, true);
});
