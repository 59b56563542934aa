/** createHttpsAgent under node:https: an https.Agent in all but whose TLS it speaks. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { TLSSocket } from '@node-aws-lc/core';
import { createHttpsAgent, type HttpsAgentOptions } from '@node-aws-lc/undici-connector';
import t, { type Test } from 'tap';
import { inspect } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import * as pki from '../helpers/pki.js';
import { eventually, rejection } from '../helpers/wait.js';
import { type Origin, type OriginOptions, startOrigin } from './origin.js';
import { patternDigest } from './pattern.js';

t.test('requests go over our TLS, one after the other on one connection', async (t) => {
  const origin = await start(t);
  const agent = await trusting(t, { keepAlive: true });
  for (let i = 0; i < 3; i++) {
    const { statusCode, socket } = await get(origin, { agent });
    t.equal(statusCode, 200);
    t.ok(socket instanceof TLSSocket);
  }
  t.equal(origin.connections.length, 1);
  t.match(origin.connections[0], { servername: 'localhost', alpn: 'http/1.1' });
});

t.test('an idle connection is free, is reused, and makes room when it closes', async (t) => {
  const origin = await start(t);
  const agent = await trusting(t, { keepAlive: true, maxSockets: 2 });
  await Promise.all(Array.from({ length: 6 }, () => get(origin, { agent })));
  t.equal(origin.connections.length, 2, 'maxSockets is kept');
  const free = () => Object.values(agent.freeSockets).flat();
  await eventually('two free sockets', () => free().length === 2);
  for (const socket of free()) socket!.destroy();
  await eventually('no free socket', () => free().length === 0);
  await get(origin, { agent });
  t.equal(origin.connections.length, 3);
});

t.test('without keepAlive every request has a connection of its own', async (t) => {
  const origin = await start(t);
  const agent = await trusting(t, { keepAlive: false });
  await get(origin, { agent });
  await get(origin, { agent });
  t.equal(origin.connections.length, 2);
});

t.test('a large body arrives whole, in both directions', async (t) => {
  const origin = await start(t);
  const agent = await trusting(t);
  const length = 3_000_001;
  const url = `${origin.url}/digest`;
  const request = https.request(url, { agent, method: 'POST' });
  const { body } = await sent(request, Buffer.concat(await chunks(length)));
  t.strictSame(JSON.parse(body), { length, sha256: patternDigest(length) });
  const received = await get(origin, { agent, path: `/pattern?length=${length}` });
  t.equal(Buffer.byteLength(received.body, 'latin1'), length);
});

t.test('a look at the agent shows neither keys nor sessions, whatever waits in it', async (t) => {
  const origin = await start(t);
  const { key, cert } = await pki.client();
  const agent = await trusting(t, { key, cert, keepAlive: true, maxSockets: 1 });
  const looks: string[] = [];
  const look = () => {
    const all = { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null };
    looks.push(inspect(agent, all));
  };
  const responses = [get(origin, { agent }), get(origin, { agent })];
  look();
  await Promise.all(responses);
  await eventually('a free socket', () => Object.keys(agent.freeSockets).length === 1);
  look();
  t.match(looks[0], /requests/);
  for (const text of looks) t.notMatch(text, /PRIVATE KEY|session: (<Buffer|Buffer|Uint8Array)/);
});

t.test('ws connects through createConnection of an agent', async (t) => {
  const origin = await start(t);
  const webSockets = new WebSocketServer({ server: origin.server as https.Server });
  webSockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const agent = await trusting(t);
  const socket = new WebSocket(origin.url.replace('https:', 'wss:'), {
    createConnection: ((options: https.RequestOptions) => agent.createConnection(options)) as never,
  });
  await once(socket, 'open');
  socket.send('hello');
  const [data] = (await once(socket, 'message')) as [Buffer];
  t.equal(data.toString(), 'hello');
  socket.close();
  await once(socket, 'close');
  t.equal(origin.connections.length, 1);
});

t.test('sessions', async (t) => {
  const resumed = ({ connections }: Origin) => connections.map((connection) => connection.resumed);

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.test(`of ${maxVersion} are resumed`, async (t) => {
      const origin = await start(t);
      const agent = await trusting(t, { maxVersion });
      for (let i = 0; i < 3; i++) await get(origin, { agent });
      t.strictSame(resumed(origin), [false, true, true]);
    });
  }

  t.test('are not shared between identities, of the agent’s or of requests', async (t) => {
    const origin = await start(t);
    const agent = await trusting(t);
    const { key, cert } = await pki.client();
    await get(origin, { agent });
    await get(origin, { agent, key, cert });
    await get(origin, { agent, key, cert });
    await get(origin, { agent: await trusting(t, { key, cert }) });
    t.strictSame(resumed(origin), [false, false, true, false]);
  });

  t.test('are not shared between trusts, names, and judgements of names', async (t) => {
    const origin = await start(t);
    const agent = await trusting(t);
    const { cert: ca } = await pki.root();
    const { cert: other } = await pki.otherRoot();
    const checkServerIdentity = () => undefined;
    await get(origin, { agent });
    await get(origin, { agent, ca: [ca, other] });
    await get(origin, { agent, servername: 'example.test' });
    await get(origin, { agent, checkServerIdentity });
    await get(origin, { agent, checkServerIdentity: () => undefined });
    await get(origin, { agent, checkServerIdentity });
    t.strictSame(resumed(origin), [false, false, false, false, false, true]);
  });

  t.test('are not used up while the server is away', async (t) => {
    const ticketKeys = randomBytes(48);
    const first = await startOrigin({ tls: { ticketKeys } });
    const agent = await trusting(t);
    await get(first, { agent });
    await first.close();
    for (let i = 0; i < 5; i++) await t.rejects(get(first, { agent }), { code: 'ECONNREFUSED' });
    const listen = { host: '127.0.0.1', port: first.port };
    const second = await start(t, { listen, tls: { ticketKeys } });
    for (let i = 0; i < 3; i++) await get(second, { agent });
    t.strictSame(resumed(second), [true, true, false]);
  });

  t.test('of unverified servers are not kept', async (t) => {
    const origin = await start(t);
    const agent = createHttpsAgent({ rejectUnauthorized: false });
    await get(origin, { agent });
    await get(origin, { agent });
    t.strictSame(resumed(origin), [false, false]);
  });

  t.test('are not kept with maxCachedSessions: 0', async (t) => {
    const origin = await start(t);
    const agent = await trusting(t, { maxCachedSessions: 0 });
    await get(origin, { agent });
    await get(origin, { agent });
    t.strictSame(resumed(origin), [false, false]);
  });
});

t.test('TLS options of a request', async (t) => {
  const origin = await start(t);
  const agent = await trusting(t, { keepAlive: true });
  const { cert: otherCa } = await pki.otherRoot();
  await get(origin, { agent });

  t.test('come before the agent’s, whose open connection is not for it', async (t) => {
    const refused = await rejection(get(origin, { agent, ca: otherCa }));
    t.equal(refused.code, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    const { statusCode } = await get(origin, { agent, ca: otherCa, rejectUnauthorized: false });
    t.equal(statusCode, 200);
    t.equal((await rejection(get(origin, { agent, ca: otherCa }))).code, refused.code);
  });

  t.test('decide about the name', async (t) => {
    const refusal = new Error('not to my liking');
    const seen: string[] = [];
    const checkServerIdentity = (host: string, { subject }: PeerCertificate) => {
      seen.push(host, String(subject.CN));
      return refusal;
    };
    t.equal(await rejection(get(origin, { agent, checkServerIdentity })), refusal);
    t.strictSame(seen, ['localhost', 'localhost']);
    const other = await rejection(get(origin, { agent, servername: 'other.example' }));
    t.match(other, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: 'other.example' });
  });

  t.test('identify the client', async (t) => {
    const { key, chain: cert } = await pki.server();
    const { cert: ca } = await pki.clientRoot();
    const mutual = await start(t, { tls: { key, cert, ca, requestCert: true } });
    const identity = await pki.client();
    const known = { key: identity.key, cert: identity.cert };
    const { body } = await get(mutual, { agent, ...known });
    t.match(JSON.parse(body), { client: 'Test Client' });
    const unknown = await rejection(get(mutual, { agent }));
    t.equal(unknown.code, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  });

  t.test('that cannot work fail the request', async (t) => {
    const { key } = await pki.client();
    const { cert } = await pki.server();
    for (const options of [{ key, cert }, { ciphers: 'NOT-A-CIPHER' }, { minVersion: 'TLSv9' }]) {
      t.throws(() => https.get(origin.url, { agent, ...(options as object) }));
    }
    t.equal((await get(origin, { agent })).statusCode, 200, 'and harm no other');
  });

  t.test('a pool has no secret in its name', async (t) => {
    const { key, cert } = await pki.client();
    await get(origin, { agent, key, cert, passphrase: 'a secret' });
    for (const name of Object.keys({ ...agent.sockets, ...agent.freeSockets })) {
      t.notMatch(name, /PRIVATE|secret/);
    }
  });
});

t.test('pools of keys that a text cannot tell apart are apart', async (t) => {
  const agent = await trusting(t);
  const route = { host: 'localhost', port: 1 };
  const names = new Set(
    [
      { key: [{ pem: 'a' }] },
      { key: [{ pem: 'b' }] },
      { key: ['a', 'b'] },
      { key: ['ab'] },
      { key: 'a,b' },
      { cert: Buffer.from([0xff]) },
      { cert: Buffer.from([0xfe]) },
      { checkServerIdentity: () => undefined },
      { checkServerIdentity: () => undefined },
      {},
    ].map((options) => agent.getName({ ...route, ...(options as object) })),
  );
  t.equal(names.size, 10);
  t.equal(agent.getName({ ...route, key: ['a'] }), agent.getName({ ...route, key: ['a'] }));
});

t.test('a server that fails verification fails as with https.Agent', async (t) => {
  const { cert: ca } = await pki.root();
  for (const [name, identity] of [
    ['self-signed', pki.selfSigned],
    ['unknown issuer', pki.untrustedServer],
    ['expired', pki.expiredServer],
    ['not valid yet', pki.futureServer],
    ['another purpose', pki.wrongPurposeServer],
    ['another name', () => pki.serverFor(['dns:other.example.test'])],
  ] as const) {
    const { key, chain: cert } = await identity();
    const origin = await start(t, { tls: { key, cert } });
    origin.server.on('tlsClientError', () => {});
    const theirs = await rejection(get(origin, { agent: new https.Agent({ ca }) }));
    const ours = await rejection(get(origin, { agent: await trusting(t) }));
    t.equal(ours.code, theirs.code, name);
  }
});

t.test('a request times out while the handshake waits', async (t) => {
  const silent = await listen(t, createServer());
  for (const where of ['request', 'agent'] as const) {
    const agent = await trusting(t, where === 'agent' ? { timeout: 100 } : {});
    const options = where === 'request' ? { timeout: 100 } : {};
    const request = https.get(silent, { agent, ...options });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    const [error] = (await once(request, 'error')) as [Error];
    t.equal(error.message, 'timed out', `by the ${where}'s option`);
  }
});

t.test('a request that is aborted while it connects leaves nothing', async (t) => {
  const silent = await listen(t, createServer());
  const agent = await trusting(t);
  const before = descriptorCount();
  for (let i = 0; i < 10; i++) {
    const controller = new AbortController();
    const request = https.get(silent, { agent, signal: controller.signal });
    setTimeout(() => controller.abort(), i * 2);
    const [error] = (await once(request, 'error')) as [Error];
    t.equal(error.name, 'AbortError');
  }
  // The server's ends are in this process too.
  t.ok((await settledDescriptorCount(before)) <= before);
  t.strictSame(Object.keys(agent.sockets), []);
});

t.test('a server that hangs up in the handshake is ECONNRESET', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).end());
  const url = await listen(t, server);
  const { code } = await rejection(get({ url }, { agent: await trusting(t) }));
  t.equal(code, 'ECONNRESET');
});

t.test('a destroyed agent closes its connections', async (t) => {
  const origin = await start(t);
  const agent = await trusting(t, { keepAlive: true });
  const { socket } = await get(origin, { agent });
  await eventually('a free socket', () => Object.keys(agent.freeSockets).length > 0);
  agent.destroy();
  await eventually('its end', () => socket.destroyed);
  t.pass();
});

t.test('an origin on a Unix socket', async (t) => {
  const path = `${t.testdir({})}/socket`;
  await start(t, { listen: { path } });
  const agent = await trusting(t);
  const { statusCode } = await get({ url: 'https://localhost' }, { agent, socketPath: path });
  t.equal(statusCode, 200);
});

t.test('what cannot work is refused at once', async (t) => {
  const { key } = await pki.client();
  const { cert } = await pki.server();
  t.throws(() => createHttpsAgent({ key, cert }), /key/i);
  t.throws(() => createHttpsAgent({ maxCachedSessions: -1 }), { code: 'UND_ERR_INVALID_ARG' });
  t.throws(() => createHttpsAgent({ proxyEnv: process.env } as HttpsAgentOptions), {
    code: 'ERR_AWS_LC_CONFIG_UNSUPPORTED',
  });
});

t.test('http: requests are not its business', async (t) => {
  const agent = await trusting(t);
  t.throws(() => http.get('http://localhost/', { agent }), { code: 'ERR_INVALID_PROTOCOL' });
});

async function start(t: Test, options?: OriginOptions): Promise<Origin> {
  const origin = await startOrigin(options);
  t.teardown(() => origin.close());
  return origin;
}

async function listen(t: Test, server: Server): Promise<string> {
  server.on('connection', (socket) => {
    socket.on('error', () => {}).resume();
    t.teardown(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

async function trusting(t: Test, options: HttpsAgentOptions = {}): Promise<https.Agent> {
  const { cert: ca } = await pki.root();
  const agent = createHttpsAgent({ ca, ...options });
  t.teardown(() => agent.destroy());
  return agent;
}

async function chunks(length: number): Promise<Buffer[]> {
  const { pattern } = await import('./pattern.js');
  return (await pattern(length).toArray()) as Buffer[];
}

interface Response {
  statusCode: number | undefined;
  body: string;
  socket: http.IncomingMessage['socket'];
}

function get({ url }: { url: string }, options: https.RequestOptions): Promise<Response> {
  return sent(https.request(url, options));
}

async function sent(request: http.ClientRequest, body?: Buffer): Promise<Response> {
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const { socket, statusCode } = response;
  response.setEncoding('latin1');
  let text = '';
  for await (const chunk of response) text += chunk as string;
  return { statusCode, socket, body: text };
}
