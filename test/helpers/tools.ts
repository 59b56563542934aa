/** Other people's TLS implementations, as programs. */
import { spawnSync } from 'node:child_process';
import type { Test } from 'tap';
import { Child, type ChildOptions, type Ended, run } from './children.js';

/**
 * Why a test cannot use a program, or `false` when it can; made for tap's `skip` option, which
 * prints the reason.
 */
export function missing(program: string, debianPackage: string): string | false {
  const env = { ...process.env, LD_PRELOAD: undefined };
  const found = spawnSync('sh', ['-c', `command -v ${program}`], { env }).status === 0;
  return found ? false : `needs ${program} (Debian package ${debianPackage})`;
}

/** Runs `openssl s_client` against a local port, sending `input` and waiting for the end. */
export function opensslClient(
  t: Test,
  port: number,
  args: string[] = [],
  options: ChildOptions = {},
): Promise<Ended> {
  return run(t, 'openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], options);
}

/** Starts `openssl s_server` on a free port and waits until it listens. */
export async function opensslServer(
  t: Test,
  args: string[],
  options: ChildOptions = {},
): Promise<{ child: Child; port: number }> {
  const child = new Child(t, 'openssl', ['s_server', '-accept', '127.0.0.1:0', ...args], options);
  const [, port] = await child.saw(/^ACCEPT 127\.0\.0\.1:(\d+)/m);
  return { child, port: Number(port) };
}

/** Runs `gnutls-cli` against a local port. */
export function gnutlsClient(
  t: Test,
  port: number,
  args: string[] = [],
  options: ChildOptions = {},
): Promise<Ended> {
  return run(t, 'gnutls-cli', ['--port', String(port), ...args, '127.0.0.1'], options);
}
