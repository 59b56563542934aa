/** A MariaDB server of Debian's, with TLS, on a free port, with no tables and no users: whoever comes is let in. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import { Child } from './children.js';
import { freePort } from './redis.js';
import * as pki from './pki.js';

// Debian keeps the server out of the path of those who are not root.
const program = '/usr/sbin/mariadbd';

/** Why there can be no server, or `false`; for tap's `skip`. */
export const noMariadb =
  !existsSync(program) && 'needs mariadbd (Debian package mariadb-server-core)';

/** Starts a server; answers its port. */
export async function mariadb(t: Test): Promise<number> {
  const { key, chain } = await pki.server();
  const files = t.testdir({ 'key.pem': key, 'cert.pem': chain });
  // The path of a socket is short.
  const folder = mkdtempSync(path.join(tmpdir(), 'mariadb-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  const settings = {
    datadir: folder,
    socket: path.join(folder, 'socket'),
    'bind-address': '127.0.0.1',
    port,
    innodb: 'OFF',
    'default-storage-engine': 'MEMORY',
    'skip-networking': 0,
    'ssl-key': path.join(files, 'key.pem'),
    'ssl-cert': path.join(files, 'cert.pem'),
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
  };
  const child = new Child(t, program, [
    ...['--no-defaults', '--skip-grant-tables'],
    ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
  ]);
  await child.saw(/ready for connections/, 30_000);
  return port;
}
