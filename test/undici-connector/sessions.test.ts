/** Resumption: what is remembered, for whom, and how often it is used. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { type ConnectorOptions, createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import type { buildConnector } from 'undici';
import { root, selfSigned } from '../helpers/pki.js';
import { callFor, connect } from './connect.js';
import { type Origin, type OriginOptions, type Protocol, startOrigin } from './origin.js';
import { undicis } from './undicis.js';

for (const { name, undici, skip } of undicis) {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const title = `${name} over ${protocol} and ${maxVersion} resumes`;
      t.test(title, { skip }, (t) => resumption(t, undici!, protocol, { maxVersion }));
    }
  }
}

async function resumption(
  t: tap.Test,
  { Agent, request }: NonNullable<(typeof undicis)[number]['undici']>,
  protocol: Protocol,
  options: ConnectorOptions,
): Promise<void> {
  const origin = await start(t, { protocol });
  const { cert: ca } = await root();
  const connect = createConnector({ ca, allowH2: protocol === 'h2', ...options });
  for (let i = 0; i < 4; i++) {
    const dispatcher = new Agent({ connect });
    const { body } = await request(origin.url, { dispatcher });
    await body.dump();
    await dispatcher.close();
  }
  // Over TLS 1.3, Node's server gives two tickets with a full handshake and none with a resumed one.
  const again = options.maxVersion === 'TLSv1.2';
  t.strictSame(resumed(origin), [false, true, true, again]);
}

t.test('a ticket of TLS 1.3 is used once, a session of TLS 1.2 as long as it works', async (t) => {
  for (const [maxVersion, expected] of [
    // Node's server gave two tickets.
    ['TLSv1.3', [false, false, true, true]],
    ['TLSv1.2', [false, true, true, true]],
  ] as const) {
    const origin = await start(t);
    const connector = await trusting({ maxVersion });
    await visit(connector, origin);
    await Promise.all([1, 2, 3].map(() => visit(connector, origin)));
    t.strictSame(resumed(origin).sort(), expected, maxVersion);
  }
});

t.test('a ticket is not used up while the server is away', async (t) => {
  const ticketKeys = randomBytes(48);
  const connector = await trusting();
  const first = await startOrigin({ tls: { ticketKeys } });
  await visit(connector, first);
  await first.close();
  for (let i = 0; i < 5; i++) {
    const { error } = await connect(connector, callFor(first));
    t.match(error, { code: 'ECONNREFUSED' });
  }
  const listen = { host: '127.0.0.1', port: first.port };
  const second = await start(t, { listen, tls: { ticketKeys } });
  for (let i = 0; i < 3; i++) await visit(connector, second);
  t.strictSame(resumed(second), [true, true, false], 'both of its tickets are used, and once');
});

t.test('a resumed connection is as authorized as the first', async (t) => {
  const origin = await start(t);
  const connector = await trusting();
  const first = await visit(connector, origin);
  const second = await visit(connector, origin);
  t.strictSame(resumed(origin), [false, true]);
  t.match(first, { authorized: true, resumed: false, cn: 'localhost' });
  t.match(second, { authorized: true, resumed: true, cn: 'localhost' });
});

t.test('nothing is resumed', async (t) => {
  t.test('with maxCachedSessions: 0', async (t) => {
    const origin = await start(t);
    const connector = await trusting({ maxCachedSessions: 0 });
    await visit(connector, origin);
    await visit(connector, origin);
    t.strictSame(resumed(origin), [false, false]);
  });

  t.test('beyond maxCachedSessions origins', async (t) => {
    const [a, b] = [await start(t), await start(t)];
    const connector = await trusting({ maxCachedSessions: 1 });
    for (const origin of [a, b, b, a]) {
      await visit(connector, origin);
    }
    t.strictSame(resumed(a), [false, false]);
    t.strictSame(resumed(b), [false, true]);
  });

  t.test('from an unverified server', async (t) => {
    const { key, cert } = await selfSigned();
    const origin = await start(t, { tls: { key, cert } });
    const connector = createConnector({ rejectUnauthorized: false });
    await visit(connector, origin);
    await visit(connector, origin);
    t.strictSame(resumed(origin), [false, false]);
  });

  t.test('under another name', async (t) => {
    const origin = await start(t);
    const connector = await trusting();
    await visit(connector, origin);
    await visit(connector, origin, { servername: 'example.test' });
    await visit(connector, origin, { servername: 'example.test' });
    t.strictSame(resumed(origin), [false, false, true]);
  });

  t.test('from another port of the same host', async (t) => {
    const [a, b] = [await start(t), await start(t)];
    const connector = await trusting();
    await visit(connector, a);
    await visit(connector, b);
    t.strictSame(resumed(b), [false]);
  });

  t.test('with another ALPN offer', async (t) => {
    const origin = await start(t);
    const connector = await trusting();
    await visit(connector, origin);
    await visit(connector, origin, { allowH2: true } as object);
    t.strictSame(resumed(origin), [false, false]);
  });

  t.test('by another connector', async (t) => {
    const origin = await start(t);
    await visit(await trusting(), origin);
    await visit(await trusting(), origin);
    t.strictSame(resumed(origin), [false, false]);
  });

  t.test('after the server has forgotten its keys', async (t) => {
    const connector = await trusting();
    const first = await startOrigin();
    await visit(connector, first);
    await first.close();
    const listen = { host: '127.0.0.1', port: first.port };
    const second = await start(t, { listen });
    await visit(connector, second);
    await visit(connector, second);
    t.strictSame(resumed(second), [false, true]);
  });
});

t.test('the option session is used for every connection', async (t) => {
  const origin = await start(t);
  const { session } = await visit(await trusting({ maxVersion: 'TLSv1.2' }), origin);
  const connector = await trusting({ maxVersion: 'TLSv1.2', session });
  await visit(connector, origin);
  await visit(connector, origin);
  t.strictSame(resumed(origin), [false, true, true]);
});

async function start(t: tap.Test, options?: OriginOptions): Promise<Origin> {
  const origin = await startOrigin(options);
  t.teardown(() => origin.close());
  return origin;
}

async function trusting(options: ConnectorOptions = {}): Promise<buildConnector.connector> {
  const { cert: ca } = await root();
  return createConnector({ ca, ...options });
}

function resumed({ connections }: Origin): boolean[] {
  return connections.map((connection) => connection.resumed);
}

/** Connects, makes a request so that the server's tickets arrive, and hangs up. */
async function visit(
  connector: buildConnector.connector,
  origin: Origin,
  overrides: Partial<buildConnector.Options> = {},
) {
  const { error, socket } = await connect(connector, callFor(origin, overrides));
  t.equal(error, null);
  const stream = socket as TLSSocket;
  const seen = {
    authorized: stream.authorized,
    resumed: stream.isSessionReused(),
    cn: stream.getPeerCertificate().subject.CN,
    session: stream.getSession(),
  };
  stream.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  stream.resume();
  await once(stream, 'close');
  return seen;
}
