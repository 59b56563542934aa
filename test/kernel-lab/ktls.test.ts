/**
 * The kernel-TLS tests, on every kernel that can be had: the lab's, and this host's own when it has
 * TLS. Files in test/ktls are not run by tap itself but from here, as subtests.
 */
import t from 'tap';
import { hostKtlsMissing, ktlsSuite, labMissing, labScript } from '../helpers/lab.js';
import { buildRustPeer, rustBuildTime, rustPeerMissing } from '../helpers/rust-peer.js';

/** For the whole suite in one boot, in seconds. */
const patience = 15 * 60;

t.setTimeout((patience + 60) * 1000 + rustBuildTime);

t.test('what the tests need is built', { skip: rustPeerMissing() }, async (t) => {
  t.setTimeout(rustBuildTime);
  await buildRustPeer(t);
});

t.test('in the kernel lab', { skip: labMissing() }, async (t) => {
  t.setTimeout((patience + 30) * 1000);
  const command = [labScript, '--timeout', String(patience), process.execPath, ktlsSuite];
  await t.spawn(process.execPath, command, { timeout: (patience + 20) * 1000 }, 'test/ktls');
});

// What is the same in every kernel is not run twice.
t.test('in a kernel that can change keys', { skip: labMissing('rekey') }, async (t) => {
  t.setTimeout((patience + 30) * 1000);
  const lab = [labScript, '--kernel', 'rekey', '--timeout', String(patience)];
  const command = [...lab, process.execPath, ktlsSuite, 'rekey'];
  const options = { timeout: (patience + 20) * 1000 };
  await t.spawn(process.execPath, command, options, 'test/ktls/rekey');
});

t.test('on the kernel of this host', { skip: hostKtlsMissing() }, async (t) => {
  t.setTimeout((patience + 30) * 1000);
  await t.spawn(process.execPath, [ktlsSuite], { timeout: patience * 1000 }, 'test/ktls');
});
