/** The lab's own folder, ignored by git: unpacked packages, and a folder a run. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const cacheDir = join(dirname(fileURLToPath(import.meta.url)), '.cache');

/**
 * A folder of the cache, made when it is not there.
 *
 * @param make called with a scratch folder, which goes afterwards, and the path in it of the folder
 *   to be made; what it throws is thrown on
 */
export function cached(name, make) {
  const target = join(cacheDir, name);
  if (existsSync(target)) return target;
  mkdirSync(cacheDir, { recursive: true });
  const scratch = mkdtempSync(join(cacheDir, 'download-'));
  try {
    const made = join(scratch, 'root');
    make(scratch, made);
    renameSync(made, target);
  } catch (error) {
    // Another lab may have put it there meanwhile.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return target;
}

/** A folder for this run, named for its process; the ones of labs that were killed go. */
export function makeRunDir() {
  mkdirSync(cacheDir, { recursive: true });
  for (const name of readdirSync(cacheDir)) {
    const pid = name.match(/^run-(\d+)-/)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) {
      rmSync(join(cacheDir, name), { recursive: true, force: true });
    }
  }
  return mkdtempSync(join(cacheDir, `run-${process.pid}-`));
}

/** The exit status that the guest left in its run's folder; undefined when it left none. */
export function readStatus(runDir) {
  try {
    const status = readFileSync(join(runDir, 'status'), 'utf8').trim();
    return status === '' ? undefined : Number(status);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
