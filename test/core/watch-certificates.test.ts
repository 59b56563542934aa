/** Files of a certificate, exchanged in the ways in which they are exchanged. */
import { watchCertificates, type WatchCertificatesOptions } from '@node-aws-lc/core';
import { X509Certificate } from 'node:crypto';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Identity } from '../helpers/certificate.js';
import * as pki from '../helpers/pki.js';
import { eventually, thrown } from '../helpers/wait.js';
import { runNode } from '../helpers/children.js';

/** One pair in a folder of its own, and ways to replace it. */
type Layout = (dir: string) => {
  files: { key: string; cert: string };
  write: (identity: Identity) => void | Promise<void>;
};

/** The pair's files, written in place as `cp` does: truncated, then filled piece by piece. */
const cp: Layout = (dir) => {
  const files = plainFiles(dir);
  const copy = async (file: string, text: string): Promise<void> => {
    const out = openSync(file, 'w');
    for (let at = 0; at < text.length; at += 300) {
      writeSync(out, text.slice(at, at + 300));
      await sleep(1);
    }
    closeSync(out);
  };
  return {
    files,
    write: async ({ key, chain }) => {
      await copy(files.key, key);
      await copy(files.cert, chain);
    },
  };
};

/** Written beside and renamed over it. */
const rename: Layout = (dir) => {
  const files = plainFiles(dir);
  return {
    files,
    write: ({ key, chain }) => {
      for (const [file, text] of [[files.key, key] as const, [files.cert, chain] as const]) {
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
      }
    },
  };
};

/** live/x.pem is a link to ../archive/x<n>.pem, exchanged by unlink and symlink. */
const certbot: Layout = (dir) => {
  const [live, archive] = [path.join(dir, 'live'), path.join(dir, 'archive')];
  mkdirSync(live);
  mkdirSync(archive);
  const files = plainFiles(live);
  let n = 0;
  return {
    files,
    write: ({ key, chain }) => {
      n++;
      for (const [file, text] of [[files.cert, chain] as const, [files.key, key] as const]) {
        const name = `${path.basename(file, '.pem')}${n}.pem`;
        writeFileSync(path.join(archive, name), text);
        rmSync(file, { force: true });
        symlinkSync(path.join('..', 'archive', name), file);
      }
    },
  };
};

/** Kubernetes: tls.key -> ..data/tls.key, and ..data -> ..<time>, exchanged by rename. */
const certManager: Layout = (dir) => {
  const files = { key: path.join(dir, 'tls.key'), cert: path.join(dir, 'tls.crt') };
  const data = path.join(dir, '..data');
  let n = 0;
  return {
    files,
    write: ({ key, chain }) => {
      const version = `..2026_${n++}`;
      const folder = path.join(dir, version);
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'tls.key'), key);
      writeFileSync(path.join(folder, 'tls.crt'), chain);
      symlinkSync(version, `${data}_tmp`);
      const old = n > 1 ? readlinkSync(data) : undefined;
      renameSync(`${data}_tmp`, data);
      if (old !== undefined) rmSync(path.join(dir, old), { recursive: true });
      if (n > 1) return;
      for (const file of Object.values(files)) {
        symlinkSync(path.join('..data', path.basename(file)), file);
      }
    },
  };
};

/** The whole folder is exchanged for another one. */
const folder: Layout = (dir) => {
  const current = path.join(dir, 'current');
  const files = plainFiles(current);
  return {
    files,
    write: ({ key, chain }) => {
      const next = plainFiles(path.join(dir, 'next'));
      mkdirSync(path.join(dir, 'next'));
      writeFileSync(next.key, key);
      writeFileSync(next.cert, chain);
      rmSync(path.join(dir, 'old'), { recursive: true, force: true });
      try {
        renameSync(current, path.join(dir, 'old'));
      } catch {
        // The first time there is none.
      }
      renameSync(path.join(dir, 'next'), current);
    },
  };
};

const layouts = { cp, rename, certbot, 'cert-manager': certManager, 'another folder': folder };

function plainFiles(dir: string) {
  return { key: path.join(dir, 'privkey.pem'), cert: path.join(dir, 'fullchain.pem') };
}

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
