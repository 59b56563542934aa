/** squid, a proxy that people run, started for a test. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Test } from 'tap';
import { Child } from '../helpers/children.js';
import { eventually } from '../helpers/wait.js';

/** Where Debian's package has its helper that knows users by a file of `user:password` lines. */
const AUTHENTICATOR = '/usr/lib/squid/basic_ncsa_auth';

/**
 * Starts squid on a free port of 127.0.0.1, for one user.
 *
 * @param hash - of the password, as `openssl passwd` makes it
 * @returns its port
 */
export async function startSquid(t: Test, user: string, hash: string): Promise<number> {
  if (!existsSync(AUTHENTICATOR)) throw new Error(`${AUTHENTICATOR} is not there`);
  // Not below this folder: started by root, squid becomes a user who may not be let in here.
  const dir = mkdtempSync(join(tmpdir(), 'squid-'));
  chmodSync(dir, 0o755);
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'users'), `${user}:${hash}\n`);
  const port = await freePort();
  const configuration = [
    `http_port 127.0.0.1:${port}`,
    `auth_param basic program ${AUTHENTICATOR} ${join(dir, 'users')}`,
    'auth_param basic children 1',
    'acl known proxy_auth REQUIRED',
    'http_access allow known',
    'http_access deny all',
    'pid_filename none',
    'access_log none',
    'cache_log /dev/null',
    'cache deny all',
    'cache_mem 1 MB',
    'pinger_enable off',
    'netdb_filename none',
    `coredump_dir ${dir}`,
    'shutdown_lifetime 0 seconds',
    'max_filedescriptors 1024',
  ];
  writeFileSync(join(dir, 'squid.conf'), `${configuration.join('\n')}\n`);
  // Names its shared memory, so that others' squids are others.
  const child = new Child(t, 'squid', ['-N', '-n', `t${port}`, '-f', join(dir, 'squid.conf')]);
  const state = { ended: false, listening: false };
  void child.ended.then(() => (state.ended = true));
  const knock = setInterval(() => {
    const socket = connect(port, '127.0.0.1');
    socket
      .on('error', () => {})
      .once('connect', () => {
        state.listening = true;
        socket.destroy();
      });
  }, 50);
  try {
    await eventually('squid', () => state.listening || state.ended, 20_000);
  } finally {
    clearInterval(knock);
  }
  if (state.ended) throw new Error(`squid ended:\n${child.output}`);
  return port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
