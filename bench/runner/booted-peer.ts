import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate';
import { cpuTime, type CpuTime } from './cpu';
import { compiledDir } from './paths';
import type { PeerOrders } from './peer-process';
import { PIN, type Peer, type Scenario, type Target } from './scenario';

/** Where and with what a peer runs. */
export interface Ground {
  /** The `node` to run it with. */
  node: string;
  files: CertificateFiles;
}

/** A peer's process that is up. */
export class BootedPeer {
  readonly peer: Peer;
  readonly target: Target;
  readonly #child: ChildProcess;

  private constructor(peer: Peer, target: Target, child: ChildProcess) {
    this.peer = peer;
    this.target = target;
    this.#child = child;
  }

  /** Starts the peer's process; rejects when it exits instead of listening. */
  static async boot(scenario: Scenario, peer: Peer, { node, files }: Ground): Promise<BootedPeer> {
    const pin = { ...PIN, ...scenario.pin };
    const setup: PeerOrders = { stack: peer.stack, pin, files, settings: scenario.settings ?? {} };
    const child = fork(join(compiledDir, 'peers', `${peer.server}.js`), [JSON.stringify(setup)], {
      execPath: node,
      execArgv: scenario.execArgv ?? [],
    });
    const failed = once(child, 'exit').then(([code, signal]: unknown[]) => {
      throw new Error(`${peer.name}: the server exited (${String(signal ?? code)})`);
    });
    failed.catch(() => {}); // Once it listens, the load generator notices.
    const listening = once(child, 'message').then(([message]) => message as { port: number });
    const { port } = await Promise.race([listening, failed]);
    const { pid } = child;
    if (pid === undefined) throw new Error(`${peer.name}: no process id`);
    const ask: Target['ask'] = async (question, borders) => {
      child.send(question);
      for (;;) {
        const heard = Promise.race([once(child, 'message'), failed]);
        const [message] = (await heard) as unknown[];
        if (borders === undefined || (message !== 'start' && message !== 'stop')) return message;
        borders[message]();
      }
    };
    return new BootedPeer(peer, { port, tls: peer.stack !== 'plain', pin, pid, ask }, child);
  }

  cpu(): CpuTime {
    return cpuTime(this.target.pid);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
