/** A Redis or Valkey server of Debian's, on a free port, whose loss and return a test decides. */
import net from 'node:net';
import { once } from 'node:events';
import type { Test } from 'tap';
import { Child } from './children.js';
import { missing } from './tools.js';

const programs = { 'redis-server': 'redis-server', 'valkey-server': 'valkey-server' };

/** Why there can be no server, or `false`; for tap's `skip`. */
export const noRedis = program() === undefined && missing('redis-server', programs['redis-server']);

/** A server that can be stopped and started again on the same port, empty as it then is. */
export class Redis {
  private child: Child | undefined;

  private constructor(
    private readonly t: Test,
    readonly port: number,
    private readonly settings: string[],
  ) {}

  /** Starts a server, with settings over the usual ones. */
  static async start(t: Test, settings: string[] = []): Promise<Redis> {
    const redis = new Redis(t, await freePort(), settings);
    await redis.start();
    return redis;
  }

  /** Starts it again. */
  async start(): Promise<void> {
    const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const args = ['--port', String(this.port), ...settings, ...this.settings];
    this.child = new Child(this.t, program()!, args, { timeout: 120_000 });
    await this.child.saw(/Ready to accept connections/);
  }

  /** Takes it away, as a crash does. */
  async stop(): Promise<void> {
    await this.child?.kill();
  }
}

function program(): string | undefined {
  return Object.entries(programs).find(([name, debian]) => missing(name, debian) === false)?.[0];
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
