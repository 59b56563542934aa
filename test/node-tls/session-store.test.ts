/** Sessions of TLS 1.2 that a server's listeners keep: 'newSession' and 'resumeSession' as `node:tls` has them. */
import * as core from '@node-aws-lc/core';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { readAll } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { nextEvent, within } from '../helpers/wait.js';

type Done = (error?: Error | null, session?: Buffer | null) => void;

/** A store as slow as one that is asked over a network. */
class Store {
  readonly kept = new Map<string, Buffer>();
  readonly log: string[] = [];

  attach(server: core.Server): void {
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      void sleep(20).then(() => {
        this.kept.set(id.toString('hex'), session);
        this.log.push('kept');
        done();
      });
    });
    server.on('resumeSession', (id: Buffer, done: Done) => {
      this.log.push('asked');
      void sleep(20).then(() => done(null, this.kept.get(id.toString('hex')) ?? null));
    });
  }
}

async function listening(
  t: Test,
  attach: (server: core.Server) => void,
  options: core.ServerOptions = {},
): Promise<{ server: core.Server; port: number }> {
  const { key, chain } = await pki.server();
  const server = core.createServer({ key, cert: chain, ...options });
  attach(server);
  server.on('secureConnection', (socket: core.TLSSocket) => {
    socket.on('error', () => {});
    socket.end(socket.isSessionReused() ? 'resumed' : 'in full');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as net.AddressInfo).port };
}

async function withoutTickets(): Promise<tls.ConnectionOptions> {
  return {
    servername: 'localhost',
    ca: (await pki.root()).cert,
    maxVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** A client of OpenSSL's, which takes no tickets unless told otherwise. */
async function visit(
  port: number,
  options: tls.ConnectionOptions = {},
): Promise<{ text: string; session: Buffer | undefined }> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    ...(await withoutTickets()),
    ...options,
  });
  let text = '';
  let session: Buffer | undefined;
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  // What is sent early must not be lost while the server waits for its store.
  socket.once('secureConnect', () => {
    session = socket.getSession();
    socket.write('early');
  });
  socket.on('error', () => {});
  await within("'end'", once(socket, 'end'));
  socket.destroy();
  return { text, session };
}

t.test('a client without tickets resumes what a slow store has kept', async (t) => {
  const store = new Store();
  const { port } = await listening(t, (server) => store.attach(server));
  const first = await visit(port);
  t.equal(first.text, 'in full');
  t.same(store.log, ['kept']);
  const { text } = await visit(port, { session: first.session });
  t.equal(text, 'resumed');
  t.same(store.log, ['kept', 'asked']);
});

t.test('a process resumes what another has put into the store', async (t) => {
  const store = new Store();
  const one = await listening(t, (server) => store.attach(server));
  const other = await listening(t, (server) => store.attach(server));
  const { session } = await visit(one.port);
  t.equal((await visit(other.port, { session })).text, 'resumed');
});

t.test('secureConnection waits until the session is kept', async (t) => {
  let done: (() => void) | undefined;
  const { server, port } = await listening(t, (server) => {
    server.on('newSession', (_id: Buffer, _session: Buffer, callback: () => void) => {
      done = callback;
      server.emit('asked');
    });
  });
  let secured = false;
  server.once('secureConnection', () => (secured = true));
  const visited = visit(port);
  await nextEvent(server, 'asked');
  await sleep(50);
  t.equal(secured, false);
  done?.();
  t.equal((await visited).text, 'in full');
});

t.test(
  'what a client sends while its session is being kept arrives, its end included',
  async (t) => {
    let done: (() => void) | undefined;
    const { server, port } = await listening(t, (server) => {
      server.on('newSession', (_id: Buffer, _session: Buffer, callback: () => void) => {
        done = callback;
      });
    });
    const received = once(server, 'secureConnection').then(([socket]) => readAll(socket as Duplex));
    const socket = tls.connect({ port, host: '127.0.0.1', ...(await withoutTickets()) });
    await nextEvent(socket, 'secureConnect');
    socket.end('early');
    await sleep(50);
    done?.();
    t.equal((await within('what was sent', received)).toString(), 'early');
  },
);

t.test('a session crosses neither names nor policies for client certificates', async (t) => {
  const store = new Store();
  const open = await listening(t, (server) => store.attach(server));
  const { session } = await visit(open.port);
  const { text } = await visit(open.port, { session, servername: 'example.test', ...unnamed });
  t.equal(text, 'in full', 'another name');
  // Clients of later versions of Node do not offer it themselves.
  if (store.log.includes('asked')) t.comment('which was offered');
  const ca = (await pki.clientRoot()).cert;
  const { port } = await listening(t, (server) => store.attach(server), {
    ca,
    requestCert: true,
    rejectUnauthorized: false,
  });
  t.equal((await visit(port, { session })).text, 'in full', 'another policy');
  const bound = await listening(t, (server) => store.attach(server), { sessionIdContext: 'other' });
  t.equal((await visit(bound.port, { session })).text, 'in full', 'another sessionIdContext');
  t.equal((await visit(open.port, { session })).text, 'resumed', 'the one that it is for');
});

/** Whose certificate is for another name than the one that is asked for. */
const unnamed = { checkServerIdentity: () => undefined };

t.test('what is no session, or that of another id, is a full handshake', async (t) => {
  const answers: (Buffer | null)[] = [Buffer.from('no session'), null];
  const { port } = await listening(t, (server) => {
    server.on('newSession', (_id: Buffer, session: Buffer, done: () => void) => {
      answers.push(session);
      done();
    });
    server.on('resumeSession', (_id: Buffer, done: Done) => done(null, answers.shift()));
  });
  const { session } = await visit(port);
  await visit(port);
  // [no session, null, this session, another session]
  answers.splice(2, 1);
  for (const what of ['no session', 'unknown', "another id's"]) {
    t.equal((await visit(port, { session })).text, 'in full', what);
  }
});

t.test('a store that fails fails the handshake', async (t) => {
  const { server, port } = await listening(t, (server) => {
    server.on('resumeSession', (_id: Buffer, done: Done) => done(new Error('store is gone')));
  });
  const { session } = await visit(port);
  const failed = nextEvent(server, 'tlsClientError');
  await t.rejects(visit(port, { session }));
  t.match(await failed, [{ message: 'store is gone' }]);
});

t.test('a client that goes while the store is asked leaves nothing behind', async (t) => {
  let asked: (() => void) | undefined;
  const { server, port } = await listening(t, (server) => {
    server.on('resumeSession', (_id: Buffer, done: Done) => {
      asked = () => done(null, null);
      server.emit('asked');
    });
  });
  const { session } = await visit(port);
  const options = { port, host: '127.0.0.1', ...(await withoutTickets()), session };
  const socket = tls.connect(options);
  socket.on('error', () => {});
  await nextEvent(server, 'asked');
  const failed = nextEvent(server, 'tlsClientError');
  socket.destroy();
  t.match(await failed, [{ code: 'ECONNRESET' }]);
  asked?.();
  t.equal((await visit(port)).text, 'in full');
});

t.test('nobody is asked about tickets and TLS 1.3', async (t) => {
  const store = new Store();
  const { port } = await listening(t, (server) => store.attach(server));
  const { session } = await visit(port, { secureOptions: 0 });
  t.equal((await visit(port, { secureOptions: 0, session })).text, 'resumed', 'by ticket');
  await visit(port, { secureOptions: 0, maxVersion: 'TLSv1.3' });
  t.same(store.log, []);
});

t.test('a session ends after sessionTimeout', async (t) => {
  const store = new Store();
  const { port } = await listening(t, (server) => store.attach(server), { sessionTimeout: 1 });
  const byId = await visit(port);
  const byTicket = await visit(port, { secureOptions: 0 });
  await sleep(2100);
  t.equal((await visit(port, { session: byId.session })).text, 'in full');
  const { text } = await visit(port, { session: byTicket.session, secureOptions: 0 });
  t.equal(text, 'in full');
});
