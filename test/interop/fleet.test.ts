/** Two processes behind HAProxy in TCP mode that share ticket keys through Redis. */
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { Child } from '../helpers/children.js';
import { clientOptions, serverOptions } from '../helpers/handshake.js';
import { freePort, noRedis, Redis } from '../helpers/redis.js';
import { missing } from '../helpers/tools.js';
import { eventually, within } from '../helpers/wait.js';

/** Milliseconds for which one ticket key seals: several of them pass in this test. */
const INTERVAL = 3000;
const skip = noRedis || missing('haproxy', 'haproxy');

async function startMember(t: Test, port: number, redis: Redis): Promise<Child> {
  const program = path.join(__dirname, 'programs', 'fleet-member.js');
  const args = [program, ...[port, redis.port, INTERVAL].map(String)];
  const input = JSON.stringify(await serverOptions());
  const member = new Child(t, process.execPath, args, { input, timeout: 120_000 });
  await member.saw(/serving/);
  return member;
}

async function startHaproxy(t: Test, ports: number[]): Promise<number> {
  const port = await freePort();
  const config = path.join(t.testdir(), 'haproxy.cfg');
  const servers = ports.map((backend, i) => `  server member${i} 127.0.0.1:${backend}`);
  const lines = [
    'defaults',
    '  mode tcp',
    '  retries 3',
    '  option redispatch 1',
    '  timeout connect 2s',
    '  timeout client 10s',
    '  timeout server 10s',
    'listen tls',
    `  bind 127.0.0.1:${port}`,
    '  balance roundrobin',
    ...servers,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const haproxy = new Child(t, 'haproxy', ['-f', config, '-db'], { timeout: 120_000 });
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const probe = net.connect(port, '127.0.0.1');
      probe.on('connect', () => resolve(true)).on('error', () => resolve(false));
      probe.on('connect', () => probe.destroy());
    });
  let listening = false;
  await eventually('HAProxy', () => {
    void answers().then((yes) => (listening ||= yes));
    return listening;
  });
  t.equal(haproxy.stdout, '');
  return port;
}

t.test('a fleet resumes anywhere, through all that happens to it', { skip }, async (t) => {
  const redis = await Redis.start(t);
  const ports = [await freePort(), await freePort()];
  const members = [await startMember(t, ports[0]!, redis), await startMember(t, ports[1]!, redis)];
  const port = await startHaproxy(t, ports);
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  const pids = new Set<string>();
  let session: Buffer | undefined;

  /** Reconnects until `done`, at least 40 times; answers the share that resumed. */
  const reconnect = async (done: () => boolean = () => true): Promise<number> => {
    let [count, resumed] = [0, 0];
    while (count < 40 || !done()) {
      const stream = await connector.connect('localhost', net.connect(port, '127.0.0.1'), {
        session,
      });
      stream.on('session', (ticket: Buffer) => (session = ticket));
      pids.add(await within('the answer', text(stream)));
      stream.destroy();
      count++;
      if (stream.negotiated.resumed) resumed++;
    }
    return resumed / count;
  };
  const passes = async (what: string, done?: () => boolean) => {
    const share = await within(what, reconnect(done), 60_000);
    t.ok(share >= 0.95, `${what}: ${(share * 100).toFixed(1)} % resumed`);
  };
  const changes = (member: Child) => member.stdout.match(/change/g)?.length ?? 0;
  const both = (check: (member: Child) => boolean) => () => members.every(check);

  await passes('at rest');
  t.equal(pids.size, 2, 'by both processes');
  const before = members.map(changes);
  await passes('through a rotation', () =>
    members.every((member, i) => changes(member) > before[i]!),
  );
  await members[0]!.kill();
  await passes('while one is gone');
  members[0] = await startMember(t, ports[0]!, redis);
  pids.clear();
  await passes('when it is back');
  t.equal(pids.size, 2, 'by both processes');

  await redis.stop();
  const lost = both(({ stderr }) => stderr.includes('AWS_LC_TICKET_KEYS'));
  await passes('while Redis is gone', lost);
  await redis.start();
  await reconnect(both(({ stdout }) => stdout.includes('available')));
  await passes('when Redis is back');
  for (const { stderr, stdout } of members) {
    t.equal(stderr.match(/AWS_LC_TICKET_KEYS/g)?.length, 1, 'one warning');
    // Whoever looks whether HAProxy listens yet gets through to a member, and says nothing.
    const failures = stdout.replaceAll(/failed: .* hung up before the TLS handshake.*\n/g, '');
    t.notMatch(failures, /failed/, 'no handshake failed');
  }
});
