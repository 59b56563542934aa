/** The Rust crate tokio-aws-lc at the other end: the program in test/interop/rust/. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { Child, run } from './children.js';
import * as pki from './pki.js';

const folder = path.join(__dirname, '..', '..', 'interop', 'rust');
const program = path.join(folder, 'target', 'release', 'rust-peer');

/** As long as AWS-LC takes to build on a slow machine that is busy, in milliseconds. */
export const rustBuildTime = 10 * 60_000;

/** The oldest cargo that builds the crate, minor version of Rust 1. */
const oldestCargo = 85;

/** The crate's suites, which are all that the kernel knows, by version. */
export const rustSuites = {
  'TLSv1.3': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  'TLSv1.2': ['ECDSA', 'RSA'].flatMap((key) => [
    `TLS_ECDHE_${key}_WITH_AES_128_GCM_SHA256`,
    `TLS_ECDHE_${key}_WITH_AES_256_GCM_SHA384`,
    `TLS_ECDHE_${key}_WITH_CHACHA20_POLY1305_SHA256`,
  ]),
};

/** What the program says after a handshake. */
export interface RustHandshake {
  protocol: string;
  cipher: string;
  /** Empty when none was negotiated. */
  alpn: string;
  /** Empty when the client named none, and on the client. */
  serverName: string;
  /** Whether the kernel does both directions. */
  ktls: boolean;
  peerCertificate: boolean;
}

/** What the program says when a connection is over, or was refused. */
export interface RustEnd {
  /** How the peer ended, `'close_notify'` when it was clean. */
  end?: string;
  echoed?: number;
  received?: number;
  /** Why the server refused the handshake. */
  refused?: string;
}

/** Why the program cannot be built, or `false` when it can; for tap's `skip` option. */
export function rustPeerMissing(): string | false {
  const { stdout } = spawnSync('cargo', ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, LD_PRELOAD: undefined },
  });
  const minor = Number(/^cargo 1\.(\d+)\./.exec(stdout)?.[1] ?? 0);
  if (minor < oldestCargo) {
    return `needs cargo 1.${oldestCargo} or newer (rustup, or a Debian package cargo of that age)`;
  }
  return libclangIsHere() ? false : 'needs libclang (Debian package libclang-dev)';
}

/**
 * Whether bindgen, which makes the crate's view of AWS-LC's headers, will find libclang and the
 * headers that belong to it; the file without a version is in the package that brings both.
 */
function libclangIsHere(): boolean {
  if (process.env['LIBCLANG_PATH']) return true;
  const llvm = readdirSync('/usr/lib').filter((name) => name.startsWith('llvm-'));
  const folders = [...llvm.map((name) => `/usr/lib/${name}/lib`), '/usr/lib64', '/usr/lib'];
  return folders.some((folder) => existsSync(`${folder}/libclang.so`));
}

/** Builds the program, or finds it built. Processes that do this at a time wait for each other. */
export async function buildRustPeer(t: Test): Promise<void> {
  const options = ['--manifest-path', path.join(folder, 'Cargo.toml'), '--locked', '--release'];
  // The environment may name another place for all that cargo builds.
  const target = ['--target-dir', path.join(folder, 'target')];
  const { code, stderr } = await run(t, 'cargo', ['build', ...options, ...target], {
    timeout: rustBuildTime,
  });
  if (code !== 0) throw new Error(`cargo build ended with ${code}:\n${stderr}`);
}

/** Why the built program cannot be used, or `false`; for the kernel lab, where nothing is built. */
export function rustPeerUnbuilt(): string | false {
  return existsSync(program) ? false : rustPeerMissing() || 'test/interop/rust/ is not built';
}

/** The certificates as files; `kind` is that of the server's key. */
export async function rustFiles(t: Test, kind: 'ECDSA' | 'RSA' = 'ECDSA') {
  const [server, client] = [
    await (kind === 'RSA' ? pki.serverRsa() : pki.server()),
    await pki.client(),
  ];
  const files = {
    'root.pem': (await pki.root()).cert,
    'server.pem': server.chain,
    'server.key': server.key,
    'client-root.pem': (await pki.clientRoot()).cert,
    'client.pem': client.chain,
    'client.key': client.key,
  };
  const made = t.testdir(files);
  return (name: keyof typeof files): string => path.join(made, name);
}

/** The running program in either role. */
export class RustPeer {
  constructor(private readonly child: Child) {}

  /** What it said of the connection with this index, once it has. */
  async handshake(index = 0): Promise<RustHandshake> {
    return (await this.said('protocol', index)) as RustHandshake;
  }

  /** How the connection with this index ended, once it has. */
  async end(index = 0): Promise<RustEnd> {
    return (await this.said('end', index)) as RustEnd;
  }

  /** Why the handshake with this index, counting those that failed, was refused. */
  async refusal(index = 0): Promise<string> {
    return ((await this.said('refused', index)) as Required<RustEnd>).refused;
  }

  /** Its exit status, once it has ended; what it complained of is in `stderr`. */
  get ended() {
    return this.child.ended;
  }

  private async said(key: string, index: number): Promise<unknown> {
    const line = `^\\{[^\\n]*"${key}":[^\\n]*\\}\\n`;
    const [all] = await this.child.saw(new RegExp(`(?:${line}[^]*?){${index + 1}}`, 'm'), 60_000);
    const lines = all.match(new RegExp(line, 'gm'))!;
    return JSON.parse(lines[index]!);
  }
}

/** Starts its echo server with the shared certificate on a free port. */
export async function rustServer(
  t: Test,
  args: string[] = [],
  kind?: 'ECDSA' | 'RSA',
): Promise<{ peer: RustPeer; port: number }> {
  const file = await rustFiles(t, kind);
  const identity = ['--cert', file('server.pem'), '--key', file('server.key')];
  const child = new Child(t, program, ['server', ...identity, ...args], { timeout: 120_000 });
  const [, port] = await child.saw(/^listening on (\d+)$/m);
  return { peer: new RustPeer(child), port: Number(port) };
}

/** Starts its client, which trusts the shared root. */
export async function rustClient(t: Test, port: number, args: string[] = []): Promise<RustPeer> {
  const file = await rustFiles(t);
  const where = ['--port', String(port), '--ca', file('root.pem')];
  return new RustPeer(new Child(t, program, ['client', ...where, ...args], { timeout: 120_000 }));
}
