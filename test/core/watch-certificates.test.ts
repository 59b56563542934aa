/** Files of a certificate, exchanged in the ways in which they are exchanged. */
import { watchCertificates, type WatchCertificatesOptions } from '@node-aws-lc/core';
import { X509Certificate } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Identity } from '../helpers/certificate.js';
import { layouts, plainFiles } from '../helpers/certificate-files.js';
import * as pki from '../helpers/pki.js';
import { eventually, thrown } from '../helpers/wait.js';
import { runNode } from '../helpers/children.js';

const fresh = () => pki.serverFor(['dns:localhost']);

function watch(t: Test, options: WatchCertificatesOptions) {
  const watcher = watchCertificates(options);
  const errors: Error[] = [];
  let changes = 0;
  watcher.on('error', (error) => errors.push(error)).on('change', () => changes++);
  t.teardown(() => watcher.close());
  const serial = () => new X509Certificate(watcher.current.cert).serialNumber;
  return {
    watcher,
    errors,
    changes: () => changes,
    serves: (identity: Identity) => serial() === identity.x509.serialNumber,
  };
}

for (const [name, make] of Object.entries(layouts)) {
  t.test(`a pair written by ${name} is there within a second`, async (t) => {
    const { files, write } = make(t.testdir());
    await write(await fresh());
    const { watcher, errors, changes, serves } = watch(t, files);
    for (let i = 0; i < 5; i++) {
      const next = await fresh();
      await write(next);
      const written = Date.now();
      await eventually('the new pair', () => serves(next));
      t.ok(Date.now() - written < 1000, 'within a second');
      t.same(watcher.current.key.toString(), next.key, 'with its key');
    }
    t.same(errors, []);
    t.equal(changes(), 5, 'and announced once');
  });
}

t.test('a bad pair is passed over, and said once why', async (t) => {
  const files = plainFiles(t.testdir());
  const good = await fresh();
  const put = (key: string, cert: string) => {
    writeFileSync(files.key, key);
    writeFileSync(files.cert, cert);
  };
  put(good.key, good.chain);
  const { errors, changes, serves } = watch(t, files);
  const expired = await pki.expiredServer();
  const bad: [() => void, RegExp][] = [
    [() => put(expired.key, good.chain), /key.*does not belong to the certificate/],
    [() => put(good.key, good.chain.slice(0, 200)), /cert.*no end/],
    [() => put(expired.key, expired.chain), /cert.*expired on/],
    [() => unlinkSync(files.key), /key.*cannot be read.*ENOENT/],
  ];
  for (const [i, [make, expected]] of bad.entries()) {
    make();
    await eventually(`error ${i}`, () => errors.length > i);
    t.match(errors[i]?.message, expected);
    t.ok(serves(good), 'the old one serves on');
  }
  await sleep(300);
  t.equal(errors.length, bad.length, 'once each');
  const next = await fresh();
  put(next.key, next.chain);
  await eventually('the next good pair', () => serves(next));
  t.equal(changes(), 1);
});

t.test('a pair of which nothing is left is told of once', async (t) => {
  const dir = path.join(t.testdir(), 'live');
  mkdirSync(dir);
  const files = plainFiles(dir);
  const put = ({ key, chain }: Identity) => {
    writeFileSync(files.key, key);
    writeFileSync(files.cert, chain);
  };
  put(await fresh());
  const watchers = Array.from({ length: 5 }, () => watch(t, { ...files, pollInterval: 5 }));
  rmSync(dir, { recursive: true });
  await eventually('the errors', () => watchers.every(({ errors }) => errors.length > 0));
  // Looked at many times more.
  await sleep(500);
  for (const { errors } of watchers) {
    t.equal(errors.length, 1);
    t.match(errors[0]?.message, /key.*cannot be read.*ENOENT/);
  }
  mkdirSync(dir);
  const next = await fresh();
  put(next);
  await eventually('the next good pair', () => watchers.every(({ serves }) => serves(next)));
});

t.test('what inotify does not hear of is found by looking', async (t) => {
  const dir = t.testdir({ here: {}, there: {} });
  const [here, there] = [plainFiles(path.join(dir, 'here')), plainFiles(path.join(dir, 'there'))];
  const first = await fresh();
  writeFileSync(there.key, first.key);
  writeFileSync(there.cert, first.chain);
  // Written under another name of the same file: no event in the directory that is watched.
  linkSync(there.key, here.key);
  linkSync(there.cert, here.cert);
  const { serves, errors } = watch(t, { ...here, pollInterval: 50 });
  await sleep(100);
  const next = await fresh();
  writeFileSync(there.key, next.key);
  writeFileSync(there.cert, next.chain);
  await eventually('the new pair', () => serves(next));
  t.same(errors, []);
});

t.test('an encrypted key and roots are watched with the rest', async (t) => {
  const dir = t.testdir();
  const files = { ...plainFiles(dir), ca: path.join(dir, 'ca.pem') };
  const put = (identity: Identity, ca: Identity) => {
    writeFileSync(files.ca, ca.cert);
    writeFileSync(files.key, identity.keyEncrypted('secret'));
    writeFileSync(files.cert, identity.chain);
  };
  put(await fresh(), await pki.root());
  const { watcher, serves } = watch(t, { ...files, passphrase: 'secret' });
  t.equal(watcher.current.passphrase, 'secret');
  const next = await fresh();
  const other = await pki.otherRoot();
  put(next, other);
  await eventually('the new pair', () => serves(next));
  await eventually('the new roots', () => watcher.current.ca?.toString() === other.cert);
});

t.test('a watcher does not keep the process alive', async (t) => {
  const files = plainFiles(t.testdir());
  const { key, chain } = await fresh();
  writeFileSync(files.key, key);
  writeFileSync(files.cert, chain);
  const script = path.join(path.dirname(files.key), 'watch.cjs');
  writeFileSync(
    script,
    `require(${JSON.stringify(require.resolve('@node-aws-lc/core'))})
      .watchCertificates(${JSON.stringify(files)}); console.log('watching');`,
  );
  const { code, stdout } = await runNode(t, script);
  t.match({ code, stdout }, { code: 0, stdout: 'watching' });
});

t.test('a pair that is bad at the beginning is refused at once', async (t) => {
  const files = plainFiles(t.testdir());
  t.match(
    thrown(() => watchCertificates(files)),
    { code: 'ERR_AWS_LC_CONFIG_FILE' },
  );
  const [one, other] = [await fresh(), await fresh()];
  writeFileSync(files.key, one.key);
  writeFileSync(files.cert, other.chain);
  t.match(
    thrown(() => watchCertificates(files)),
    { code: 'ERR_AWS_LC_CONFIG_KEY_MISMATCH' },
  );
  for (const bad of [null, {}, { key: 1, cert: 'x' }, { ...files, pollInterval: 0 }]) {
    t.match(
      thrown(() => watchCertificates(bad as never)),
      { code: 'ERR_AWS_LC_CONFIG_TYPE' },
    );
  }
});
