/**
 * A server whose process runs out of descriptors between a client's connection and its handshake:
 *
 *     IDENTITY='{"key":…,"cert":…,"ca":…}' node no-descriptors.js
 *
 * Asks once over h2 while there is none left, and once when there are some again; prints the answers.
 */
import { createSecureServer } from '@node-aws-lc/core';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';

const { key, cert, ca } = JSON.parse(process.env['IDENTITY'] as string) as Record<string, string>;

async function ask(session: http2.ClientHttp2Session): Promise<string> {
  session.on('error', () => {});
  const stream = session.request({ ':path': '/' });
  stream.setEncoding('utf8');
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  session.close();
  return text;
}

/** Takes every descriptor that there is. */
function exhaust(): number[] {
  const taken: number[] = [];
  try {
    for (;;) taken.push(fs.openSync('/dev/null', 'r'));
  } catch {
    return taken;
  }
}

async function main(): Promise<void> {
  // Few, so that taking all is a matter of moments.
  const { PATH } = process.env;
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=150'], { env: { PATH } });
  const server = createSecureServer({ key: key!, cert: cert! }, (_request, response) => {
    response.end('served');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `https://localhost:${port}`;

  const socket = net.connect(port, '127.0.0.1');
  while (server.stats().pending === 0) await sleep(5);
  const taken = exhaust();
  const createConnection = () =>
    tls.connect({ socket, ca, servername: 'localhost', ALPNProtocols: ['h2'] });
  console.log(`without: ${await ask(http2.connect(url, { createConnection }))}`);
  taken.forEach((fd) => fs.closeSync(fd));
  const lookup: net.LookupFunction = (_name, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }]);
  console.log(`with: ${await ask(http2.connect(url, { ca, lookup }))}`);
  server.close();
}

void main();
