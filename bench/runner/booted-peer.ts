import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect, type EphemeralKeyInfo } from 'node:tls';
import type { CertificateFiles } from './certificate';
import { cpuTime, type CpuTime } from './cpu';
import { compiledDir } from './paths';
import type { Peer, Target } from './scenario';

/** A server process that is up. */
export class BootedPeer {
  readonly peer: Peer;
  readonly target: Target;
  readonly #child: ChildProcess;
  readonly #pid: number;

  private constructor(peer: Peer, target: Target, child: ChildProcess, pid: number) {
    this.peer = peer;
    this.target = target;
    this.#child = child;
    this.#pid = pid;
  }

  /** Starts the peer's process; rejects when it exits instead of listening. */
  static async boot(peer: Peer, files: CertificateFiles): Promise<BootedPeer> {
    const child = fork(join(compiledDir, 'peers', `${peer.server}.js`), [JSON.stringify(files)]);
    const failed = once(child, 'exit').then(([code, signal]: unknown[]) => {
      throw new Error(`${peer.name}: the server exited (${String(signal ?? code)})`);
    });
    const listening = once(child, 'message').then(([message]) => message as { port: number });
    const { port } = await Promise.race([listening, failed]);
    failed.catch(() => {}); // From here on the load generator notices.
    if (child.pid === undefined) throw new Error(`${peer.name}: no process id`);
    return new BootedPeer(peer, { port, tls: peer.tls ?? true }, child, child.pid);
  }

  cpu(): CpuTime {
    return cpuTime(this.#pid);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** What a client with every option open ends up with at `target`; the server must close in order. */
export function negotiatedAt(target: Target): Promise<string> {
  if (!target.tls) return Promise.resolve('plain');
  return new Promise((resolve, reject) => {
    const socket = connect({ port: target.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.setTimeout(5000, () => socket.destroy(new Error('the server does not answer or close')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { name } = socket.getEphemeralKeyInfo() as EphemeralKeyInfo;
      const seen = [socket.getProtocol(), socket.getCipher().standardName, name];
      socket.once('close', () => resolve(seen.join(' ')));
      socket.resume().end();
    });
  });
}
