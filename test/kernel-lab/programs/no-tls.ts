/** Prints what the library says of a host whose kernel has no TLS; run by no-tls.test.ts. */
import {
  ClientConfig,
  hostKtls,
  hostKtlsAvailable,
  type KtlsOption,
  ServerConfig,
  TlsAcceptor,
  TlsConnector,
} from '@node-aws-lc/core';
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { nextEvent } from '../../helpers/wait.js';
import { clientOptions, sent, serverOptions } from '../../helpers/handshake.js';

async function main(): Promise<void> {
  const connection = await attempt('auto');
  const required = await attempt('require');
  const before = { available: hostKtlsAvailable(), host: hostKtls() };
  // What the reason advises; the lab has busybox's beside it.
  const [module] = process.argv.slice(2);
  if (module !== undefined) insmod(module);
  const after =
    module === undefined
      ? {}
      : { after: { auto: await attempt('auto'), required: await attempt('require') } };
  const says = { ...before, connection, required, ...after };
  console.log(JSON.stringify(says));
}

function insmod(module: string): void {
  const file = path.join(process.env['LAB_MODULES'] ?? '', 'kernel', module);
  execFileSync('/run/bin/insmod', [file]);
}

async function attempt(ktls: KtlsOption): Promise<object> {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions()));
  const connector = new TlsConnector(new ClientConfig(await clientOptions({ ktls })));
  const listening = net.createServer();
  listening.listen(0, '127.0.0.1');
  await nextEvent(listening, 'listening');
  const { port } = listening.address() as net.AddressInfo;
  const incoming = nextEvent(listening, 'connection');
  const connecting = connector.connect('localhost', net.connect(port, '127.0.0.1'));
  const accepting = incoming.then(([socket]) => acceptor.accept(socket as net.Socket));
  const [client, server] = await Promise.allSettled([connecting, accepting]);
  listening.close();
  if (client.status === 'rejected') {
    const { code, message } = client.reason as NodeJS.ErrnoException;
    if (server.status === 'fulfilled') server.value.on('error', () => {}).destroy();
    return { code, message };
  }
  if (server.status === 'rejected') throw server.reason as Error;
  const echoed = await sent(server.value, client.value, 'in userspace');
  const { ktls: clientKtls } = client.value;
  const { ktls: serverKtls } = server.value;
  client.value.destroy();
  server.value.destroy();
  return { echoed, client: clientKtls, server: serverKtls };
}

void main();
