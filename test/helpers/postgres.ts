/** A PostgreSQL server of Debian's, with TLS, on a free port and data of its own. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import { Child } from './children.js';
import { freePort } from './redis.js';
import { missing } from './tools.js';
import * as pki from './pki.js';

const installed = '/usr/lib/postgresql';

function programs(): string | undefined {
  const versions = existsSync(installed) ? readdirSync(installed) : [];
  return versions
    .map((version) => path.join(installed, version, 'bin'))
    .find((folder) => existsSync(path.join(folder, 'postgres')));
}

/** Why there can be no server, or `false`; for tap's `skip`. */
export const noPostgres =
  (programs() === undefined && 'needs postgres (Debian package postgresql)') ||
  missing('setpriv', 'util-linux');

/** Starts a server that takes no connection without TLS; answers its port. */
export async function postgres(t: Test): Promise<number> {
  const folder = path.join(
    execFileSync('mktemp', ['-d', path.join(tmpdir(), 'pg-XXXXXX')], text).trim(),
  );
  t.teardown(() => execFileSync('rm', ['-rf', folder]));
  const data = path.join(folder, 'data');
  const { key, chain } = await pki.server();
  const files = { key: path.join(folder, 'key.pem'), cert: path.join(folder, 'cert.pem') };
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.cert, chain);
  // PostgreSQL does not run as root, and wants its key for itself.
  const user = process.getuid?.() === 0 ? userIds() : undefined;
  if (user !== undefined) {
    for (const file of [folder, files.key]) chownSync(file, user.uid, user.gid);
  }
  chmodSync(folder, 0o700);
  const command = (name: string, args: string[]): string[] => [
    ...(user === undefined
      ? []
      : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']),
    path.join(programs() as string, name),
    ...args,
  ];
  const [init, ...initArgs] = command('initdb', ['-D', data, '-U', 'tester', '-A', 'trust', '-N']);
  execFileSync(init!, initArgs, { ...text, cwd: folder });
  writeFileSync(path.join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 trust\n');
  const port = await freePort();
  const settings = { ssl: 'on', ssl_cert_file: files.cert, ssl_key_file: files.key, fsync: 'off' };
  const [serve, ...args] = command('postgres', [
    ...['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const child = new Child(t, serve!, args, { timeout: 120_000 });
  await child.saw(/ready to accept connections/, 30_000);
  return port;
}

const text = { encoding: 'utf8' } as const;

function userIds(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], text));
  return { uid: id('-u'), gid: id('-g') };
}
