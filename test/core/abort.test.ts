/** Giving up: an AbortSignal during the handshake, and `await using` after it. */
import {
  ClientConfig,
  type HandshakeOptions,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
} from '@node-aws-lc/core';
import net from 'node:net';
import t from 'tap';
import { clientOptions, connected, readAll, sent, serverOptions } from '../helpers/handshake.js';
import { transports } from '../helpers/transports.js';
import { eventually, nextEvent, rejection } from '../helpers/wait.js';

async function sides() {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const connector = new TlsConnector(new ClientConfig(await clientOptions()));
  return {
    client: (transport: net.Socket, options: HandshakeOptions) =>
      connector.connect('localhost', transport, options),
    server: (transport: net.Socket, options: HandshakeOptions) =>
      acceptor.accept(transport, options),
  };
}

for (const side of ['client', 'server'] as const) {
  for (const kind of ['tcp', 'duplex'] as const) {
    t.test(`a signal that fires during the handshake ends it, ${side} over ${kind}`, async (t) => {
      const under = await transports(t, kind);
      const begin = (await sides())[side];
      const controller = new AbortController();
      const outcome = rejection(begin(under[side] as net.Socket, { signal: controller.signal }));
      const reason = new Error('no longer wanted');
      setTimeout(() => controller.abort(reason), 20);
      const error = await outcome;
      t.match(error, { name: 'AbortError', code: 'ABORT_ERR' });
      t.equal(error.cause, reason);
      t.ok(under[side].destroyed, 'the transport is destroyed');
      const other = under[side === 'client' ? 'server' : 'client'];
      await nextEvent(other.resume(), 'end');
    });
  }

  t.test(`a signal that has fired already is not even tried, ${side}`, async (t) => {
    const under = await transports(t, 'tcp');
    const begin = (await sides())[side];
    const signal = AbortSignal.abort();
    const error = await rejection(begin(under[side] as net.Socket, { signal }));
    t.match(error, { name: 'AbortError', code: 'ABORT_ERR' });
    t.ok(under[side].destroyed);
  });
}

t.test('a timeout signal is an abort whose cause says so', async (t) => {
  const under = await transports(t, 'tcp');
  const { client } = await sides();
  const signal = AbortSignal.timeout(30);
  const error = await rejection(client(under.client as net.Socket, { signal }));
  t.match(error, { name: 'AbortError', cause: { name: 'TimeoutError' } });
});

t.test('a signal ends the wait for a socket that is still connecting', async (t) => {
  const { client } = await sides();
  const connecting = net.connect({ port: 1, host: 'never.test', lookup: () => {} });
  const controller = new AbortController();
  const outcome = rejection(client(connecting, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 20);
  t.match(await outcome, { name: 'AbortError' });
  t.ok(connecting.destroyed);
});

t.test('a signal that fires after the handshake leaves the stream alone', async (t) => {
  const controller = new AbortController();
  const { client, server } = await connected(t, { handshake: { signal: controller.signal } });
  controller.abort();
  t.equal(await sent(client, server, 'still there'), 'still there');
});

t.test('the signal keeps no listener after the handshake', async (t) => {
  const signal = new AbortController().signal;
  let listening = 0;
  for (const [method, change] of [
    ['addEventListener', 1],
    ['removeEventListener', -1],
  ] as const) {
    const original = signal[method].bind(signal) as (...args: unknown[]) => void;
    Object.assign(signal, {
      [method]: (...args: unknown[]) => {
        listening += change;
        original(...args);
      },
    });
  }
  await connected(t, { handshake: { signal } });
  t.equal(listening, 0);
});

t.test('a stream can be disposed of: what was written arrives, and both ends close', async (t) => {
  const { client, server } = await connected(t);
  client.write('last words');
  const words = readAll(server);
  await client[Symbol.asyncDispose]();
  t.ok(client.destroyed);
  t.equal((await words).toString(), 'last words');
  t.ok(server.closeNotifyReceived);
  await eventually('the other end to close', () => server.closed);
  await client[Symbol.asyncDispose]();
  t.pass('and disposing of it again does nothing');
});

t.test('disposing of a stream whose peer is gone does not throw', async (t) => {
  const { client, server } = await connected(t);
  client.on('error', () => {});
  server.destroy();
  await client[Symbol.asyncDispose]();
  t.ok(client.destroyed);
});
