/** A certificate's files, and the ways in which the usual tools exchange them. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from './certificate.js';

/** One pair in a folder of its own, and ways to replace it. */
export type Layout = (dir: string) => {
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

/** By name. */
export const layouts = {
  cp,
  rename,
  certbot,
  'cert-manager': certManager,
  'another folder': folder,
};

/** Where the files of a pair lie in a folder, named as certbot names them. */
export function plainFiles(dir: string) {
  return { key: path.join(dir, 'privkey.pem'), cert: path.join(dir, 'fullchain.pem') };
}
