/** What the tests of clients that mean ill have in common. */
import { createSecureServer, type SecureServer, type SecureServerOptions } from '@node-aws-lc/core';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { h1, untilClosed } from '../fastify-plugin/clients.js';
import { serverOptions } from '../helpers/handshake.js';
import { nextEvent } from '../helpers/wait.js';

/** A server whose paths answer with much, some, never, or without an end. */
export async function serve(
  t: Test,
  options: Partial<SecureServerOptions> = {},
): Promise<{ server: SecureServer; port: number }> {
  const all = { connectionsCheckingInterval: 100, ...(await serverOptions()), ...options };
  const large = Buffer.alloc(64 << 20);
  const server = createSecureServer(all as SecureServerOptions, (request, response) => {
    if (request.url === '/large') response.end(large);
    else if (request.url === '/some') response.end(large.subarray(0, 1 << 20));
    else if (request.url === '/never') response.flushHeaders();
    else if (request.url === '/events') response.write('event');
    else if (request.method === 'POST') request.resume().on('end', () => response.end('ok'));
    else response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await nextEvent(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** How long until the server closes the connection. */
export async function closedAfter(socket: net.Socket): Promise<number> {
  const started = Date.now();
  await untilClosed(socket);
  return Date.now() - started;
}

/** Fails unless something was closed by a limit, and not long after. */
export function about(t: Test, ms: number, limit: number): void {
  t.ok(ms >= limit * 0.8 && ms < limit + 4000, `closed after ${ms} ms of ${limit}`);
}

/** Fails unless somebody else gets an answer. */
export async function othersAreServed(t: Test, port: number): Promise<void> {
  t.equal((await h1(port)).body, 'ok', 'others are served meanwhile');
}
