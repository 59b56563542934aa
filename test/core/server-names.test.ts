/** One server with several names: which configuration a client is served with, and who decides. */
import { ServerConfig, type ServerConfigOptions, ServerNames } from '@node-aws-lc/core';
import { setTimeout as sleep } from 'node:timers/promises';
import net from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { issue } from '../helpers/certificate.js';
import { connected, failedHandshake, handshake, sent } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { eventually } from '../helpers/wait.js';

type Resolver = NonNullable<ServerConfigOptions['SNICallback']>;

async function named(name: string, options: ServerConfigOptions = {}): Promise<ServerConfig> {
  const { key, cert } = await pki.serverFor([`dns:${name}`], name);
  return new ServerConfig({ key, cert, ...options });
}

/** What the client sees of the server's certificate: its common name. */
async function seen(t: Test, SNICallback: Resolver, name = 'localhost'): Promise<string> {
  const { client, server } = await connected(t, {
    server: { SNICallback },
    client: { checkServerIdentity: () => undefined },
    serverName: name,
  });
  t.equal(await sent(client, server, 'hello'), 'hello');
  t.equal(server.servername, name);
  return String(client.getPeerCertificate().subject.CN);
}

/** Why a server refuses a client that asks for `strict`. */
async function refusedClient(t: Test, options: ServerConfigOptions, client: tls.ConnectionOptions) {
  const server = await tlsServer(t, options);
  const target = { port: server.port, host: '127.0.0.1', servername: 'strict' };
  const socket = tls.connect({ ...target, rejectUnauthorized: false, ...client });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return server.failed();
}

t.test('SNICallback answers by callback or by return value, now or later', async (t) => {
  const other = await named('other');
  const later = async () => sleep(10).then(() => other);
  const resolvers: Record<string, Resolver> = {
    'a callback at once': (name, callback) => callback(null, name === 'other' ? other : undefined),
    'a callback later': (_name, callback) => void setTimeout(() => callback(null, other), 10),
    'a promise': async (name: string) => (name === 'other' ? later() : undefined),
    'a value': () => other,
    'more than once': (_name, callback) => {
      callback(null, other);
      callback(new Error('too late'));
      setImmediate(() => callback(null, null));
    },
  };
  for (const [what, resolver] of Object.entries(resolvers)) {
    t.equal(await seen(t, resolver, 'other'), 'other', what);
  }
});

t.test('without an answer the server serves its own certificate', async (t) => {
  for (const nothing of [undefined, null]) {
    t.equal(await seen(t, (_name, callback) => callback(null, nothing)), 'localhost');
    t.equal(await seen(t, () => nothing), 'localhost');
  }
});

t.test('a client that names nobody does not bring the callback about', async (t) => {
  const SNICallback = () => {
    t.fail('called');
    return undefined;
  };
  const { client } = await connected(t, { server: { SNICallback }, serverName: '127.0.0.1' });
  t.equal(client.authorized, true);
});

t.test('an answer that is an error, or no configuration, fails that handshake alone', async (t) => {
  const mine = new Error('no such name');
  const failing: Record<string, [Resolver, object]> = {
    'an error by callback': [(_name, callback) => callback(mine), mine],
    'an error thrown': [
      () => {
        throw mine;
      },
      mine,
    ],
    'a promise rejected': [() => Promise.reject(mine), mine],
    'something else': [() => ({}), { code: 'ERR_TLS_INVALID_CONTEXT' }],
    'something else by callback': [
      (_name, callback) => callback(null, 5 as never),
      { code: 'ERR_TLS_INVALID_CONTEXT' },
    ],
  };
  for (const [what, [SNICallback, expected]] of Object.entries(failing)) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { client, server } = await failedHandshake(t, { server: { SNICallback, maxVersion } });
      t.match(client, { alert: { code: 80, direction: 'received' } }, what);
      if (expected === mine) t.equal(server, mine as never, what);
      else t.match(server, expected, what);
    }
  }
});

t.test('a server without a certificate of its own', async (t) => {
  const { server } = await (async () => {
    const other = await named('other');
    const SNICallback: Resolver = (name: string) => (name === 'other' ? other : undefined);
    const options = { key: undefined, cert: undefined, SNICallback };
    const { client } = await connected(t, { server: options, serverName: 'other' });
    t.equal(client.authorized, true);
    return handshake(t, { server: options });
  })();
  t.match(server, { code: /^ERR_SSL_/ });
});

t.test('an answer that never comes ends with the handshake timeout', async (t) => {
  let calls = 0;
  const server = await tlsServer(t, {
    SNICallback: () => {
      calls++;
      return new Promise<undefined>(() => {});
    },
    handshakeTimeout: 60,
  });
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', servername: 'localhost' });
  socket.on('error', () => {});
  t.match(await server.failed(), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  t.equal(calls, 1);
});

t.test('a client that goes while the server waits for an answer', async (t) => {
  for (const leave of ['end', 'reset'] as const) {
    let answer: ((value: undefined) => void) | undefined;
    const waiting = new Promise<undefined>((resolve) => (answer = resolve));
    let asked = false;
    const server = await tlsServer(t, {
      SNICallback: () => {
        asked = true;
        return waiting;
      },
    });
    const socket = net.connect(server.port, '127.0.0.1');
    tls.connect({ socket, servername: 'localhost' }).on('error', () => {});
    await eventually('the question', () => asked);
    if (leave === 'end') socket.destroy();
    else socket.resetAndDestroy();
    t.match(await server.failed(), { code: 'ECONNRESET', side: 'server' }, leave);
    answer?.(undefined);
    await sleep(5);
    t.equal(server.streams.length, 0);
  }
});

t.test('an aborted handshake does not wait for the answer', async (t) => {
  const abort = new AbortController();
  const SNICallback = () => {
    abort.abort();
    return new Promise<undefined>(() => {});
  };
  const { server } = await handshake(t, {
    server: { SNICallback },
    handshake: { signal: abort.signal },
  });
  t.match(server, { code: 'ABORT_ERR' });
});

t.test(
  'the configuration chosen brings its own client certificates, versions and suites',
  async (t) => {
    const ca = (await pki.clientRoot()).cert;
    const strict = await named('strict', { ca, clientAuth: 'required' });
    const open = await named('open');
    const old = await named('old', {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    });
    const names = new ServerNames().add('strict', strict).add('open', open).add('old', old);
    const SNICallback: Resolver = (name: string) => names.resolve(name);
    const { key, chain: cert } = await pki.client();

    const admitted = await connected(t, {
      server: { SNICallback },
      client: { key, cert },
      serverName: 'strict',
    });
    t.equal(admitted.server.authorized, true);
    t.equal(admitted.server.getPeerX509Certificate()?.subject.includes('Test Client'), true);

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const failure = await refusedClient(t, { SNICallback }, { maxVersion });
      t.match(failure, { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' }, maxVersion);
    }
    const relaxed = await connected(t, {
      server: { SNICallback, ca, clientAuth: 'required' },
      serverName: 'open',
    });
    t.equal(relaxed.server.authorized, false, 'nobody was asked');

    const { client } = await connected(t, { server: { SNICallback }, serverName: 'old' });
    t.match(client.negotiated, {
      protocol: 'TLSv1.2',
      cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    });
  },
);

t.test('the roots of the configuration chosen judge the client', async (t) => {
  const otherRoot = await pki.otherRoot();
  const strict = await named('strict', { ca: otherRoot.cert, clientAuth: 'required' });
  const ca = (await pki.clientRoot()).cert;
  const server: ServerConfigOptions = { ca, clientAuth: 'required', SNICallback: () => strict };
  const known = await pki.client();
  const { key, cert } = await issue({ subject: 'C', issuer: otherRoot, purposes: ['clientAuth'] });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const stranger = { key: known.key, cert: known.cert, maxVersion };
    const failure = await refusedClient(t, server, stranger);
    t.match(failure, { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, maxVersion);
    const admitted = await connected(t, {
      server,
      client: { key, cert, maxVersion },
      serverName: 'strict',
    });
    t.equal(admitted.server.authorized, true);
  }
});

t.test('patterns match as those of node:tls', async (t) => {
  const patterns = [
    '*.example.com',
    'a*.example.com',
    'exact.test',
    '*',
    '*.*.deep.test',
    'b.exact.test',
  ];
  const asked = [
    'x.example.com',
    'x.y.example.com',
    'example.com',
    'ab.example.com',
    'exact.test',
    'exactxtest',
    'b.exact.test',
    'localhost',
    'a.b.deep.test',
    'b.deep.test',
    'bxexact.test',
  ];
  const names = new ServerNames();
  const server = tls.createServer();
  const contexts = (server as unknown as { _contexts: [RegExp, unknown][] })._contexts;
  const configs = new Map<ServerConfig, string>();
  for (const pattern of patterns) {
    const config = await named(pattern.replaceAll('*', 'w'));
    configs.set(config, pattern);
    names.add(pattern, config);
    server.addContext(pattern, {});
  }
  for (const name of asked) {
    const index = contexts.findLastIndex(([regexp]) => regexp.test(name));
    const ours = names.resolve(name);
    t.equal(ours && configs.get(ours), patterns[index], name);
  }
  t.equal(names.resolve('EXACT.Test'), names.resolve('exact.test'), 'letters of either case');
});

t.test('names beyond ASCII are matched as they are sent', async (t) => {
  const config = await named('bücher.example.test');
  const names = new ServerNames().add('bücher.example.test', config);
  t.equal(names.resolve('xn--bcher-kva.example.test'), config);
});

t.test('over a Duplex, too', async (t) => {
  const other = await named('other');
  const { client } = await connected(t, {
    server: { SNICallback: () => Promise.resolve(other) },
    serverName: 'other',
    transport: 'duplex',
  });
  t.equal(client.authorized, true);
});

t.test('clients that wait at the same time, each with an answer of its own', async (t) => {
  const [a, b] = [await named('a'), await named('b')];
  const SNICallback: Resolver = async (name: string) => {
    await sleep(name === 'a' ? 3 : 1);
    return name === 'a' ? a : b;
  };
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const serverName = i % 2 === 0 ? 'a' : 'b';
      const { client } = await connected(t, { server: { SNICallback }, serverName });
      t.equal(client.getPeerCertificate().subject.CN, serverName);
    }),
  );
});

t.test("rejections of an answer that nobody waits for any more are nobody's", async (t) => {
  const SNICallback = async () => {
    await sleep(100);
    throw new Error('too late');
  };
  const server = await tlsServer(t, { SNICallback, handshakeTimeout: 30 });
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', servername: 'localhost' });
  socket.on('error', () => {});
  await sleep(120);
  t.match(await server.failed(), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
});
