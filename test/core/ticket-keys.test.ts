/** Keys for session tickets: what resumes under which, and what a bad one is told. */
import {
  ClientConfig,
  ServerConfig,
  type ServerConfigOptions,
  TicketKeys,
  TlsAcceptor,
  TlsConnector,
} from '@node-aws-lc/core';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { clientOptions, sent, serverOptions } from '../helpers/handshake.js';
import { tcpPair } from '../helpers/transports.js';
import { thrown } from '../helpers/wait.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** Connects once to a server of the given configuration. */
async function visit(t: Test, config: ServerConfig, session?: Buffer) {
  const under = await tcpPair(t);
  const accepted = new TlsAcceptor(config).accept(under.server);
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  const client = await connector.connect('localhost', under.client, { session });
  const server = await accepted;
  const tickets: Buffer[] = [];
  client.on('session', (ticket: Buffer) => tickets.push(ticket));
  await sent(server, client, 'x');
  const { resumed } = client.negotiated;
  const next = tickets.at(-1) ?? client.getSession();
  for (const end of [client, server]) end.on('error', () => {}).destroy();
  return { resumed, session: next as Buffer };
}

async function config(ticketKeys: ServerConfigOptions['ticketKeys'], more = {}) {
  return new ServerConfig(await serverOptions({ ticketKeys, ...more }));
}

for (const maxVersion of versions) {
  t.test(`servers that share a key resume one another's sessions, ${maxVersion}`, async (t) => {
    const key = randomBytes(48);
    const first = await visit(t, await config(key, { maxVersion }));
    t.equal(first.resumed, false);
    const elsewhere = await visit(t, await config({ current: key }, { maxVersion }), first.session);
    t.equal(elsewhere.resumed, true);
    const stranger = await visit(t, await config(randomBytes(48), { maxVersion }), first.session);
    t.equal(stranger.resumed, false);
  });

  t.test(
    `a previous key still opens, and what it opened is sealed anew, ${maxVersion}`,
    async (t) => {
      const [old, current] = [randomBytes(48), randomBytes(48)];
      const { session } = await visit(t, await config(old, { maxVersion }));
      const both = await config({ current, previous: [old] }, { maxVersion });
      const renewed = await visit(t, both, session);
      t.equal(renewed.resumed, true);
      const again = await visit(t, await config(current, { maxVersion }), renewed.session);
      t.equal(again.resumed, true, 'under the current key alone');
    },
  );

  t.test(
    `a configuration made of another's keys resumes its sessions, ${maxVersion}`,
    async (t) => {
      const before = await config(undefined, { maxVersion });
      const { session } = await visit(t, before);
      const after = await config(before.ticketKeys, { maxVersion });
      t.equal((await visit(t, after, session)).resumed, true);
    },
  );

  t.test(`keys are exchanged under a server that is in use, ${maxVersion}`, async (t) => {
    const keys = new TicketKeys();
    const server = await config(keys, { maxVersion });
    const first = await visit(t, server);
    keys.rotate();
    const second = await visit(t, server, first.session);
    t.equal(second.resumed, true, 'the key before is accepted');
    keys.set(randomBytes(48));
    t.equal((await visit(t, server, second.session)).resumed, false, 'forgotten');
  });

  t.test(`a ticket that somebody has changed is a full handshake, ${maxVersion}`, async (t) => {
    const server = await config(undefined, { maxVersion });
    const { session } = await visit(t, server);
    const name = server.ticketKeys.current.subarray(0, 16);
    const at = session.indexOf(name);
    t.ok(at > 0, 'the ticket begins with the name of its key');
    session[at + 60]! ^= 1;
    t.equal((await visit(t, server, session)).resumed, false);
  });
}

t.test('keys that nobody sets change by themselves', async (t) => {
  const keys = new TicketKeys({ interval: 1, previous: 1 });
  const [first] = [keys.current];
  t.same(keys.previous, []);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  t.notSame(keys.current, first);
  t.same(keys.previous, [first]);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  t.notOk(
    keys.previous.some((key) => key.equals(first)),
    'and the oldest are forgotten',
  );
});

t.test('rotate() keeps as many keys as it is told', (t) => {
  const keys = new TicketKeys();
  const first = keys.current;
  for (let i = 0; i < 5; i++) keys.rotate();
  t.equal(keys.previous.length, 2);
  const given = randomBytes(48);
  keys.rotate(given, 1);
  t.same(keys.current, given);
  t.equal(keys.previous.length, 1);
  t.notOk(keys.previous.some((key) => key.equals(first)));
  t.end();
});

t.test('what is no key is refused', async (t) => {
  const options = await serverOptions();
  const wrong = [Buffer.alloc(47), 'x'.repeat(48), {}, { current: 1 }, null, 48] as never[];
  for (const ticketKeys of wrong) {
    const error = thrown(() => new ServerConfig({ ...options, ticketKeys }));
    t.match(error, { code: 'ERR_AWS_LC_CONFIG_TYPE', option: 'ticketKeys' });
  }
  const bad = { current: randomBytes(48), previous: [Buffer.alloc(3)] };
  t.match(
    thrown(() => new TicketKeys(bad)),
    { code: 'ERR_AWS_LC_CONFIG_TYPE' },
  );
  t.match(
    thrown(() => new TicketKeys({ interval: 0 })),
    { code: 'ERR_AWS_LC_CONFIG_TYPE' },
  );
  t.match(
    thrown(() => new TicketKeys().rotate(Buffer.alloc(1))),
    { code: 'ERR_AWS_LC_CONFIG_TYPE' },
  );
});
