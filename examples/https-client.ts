/**
 * A minimal HTTPS client: one TCP connection, TLS over it, one request.
 *
 *     node examples/dist/https-client.js https://localhost:8443/ examples/.certificate/ca.pem
 *
 * Without a file of roots the system's are trusted.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';

async function main(): Promise<void> {
  const [address = 'https://localhost:8443/', caFile] = process.argv.slice(2);
  const url = new URL(address);
  const config = new ClientConfig({ caFile, ALPNProtocols: ['http/1.1'] });

  // A URL writes IPv6 addresses in brackets, a certificate does not.
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const socket = connect(Number(url.port || 443), name);
  const stream = await new TlsConnector(config).connect(name, socket);

  const { protocol, cipher, group, alpn } = stream.negotiated;
  console.error(`${protocol} ${cipher} ${group}, ALPN ${alpn}`);
  stream.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\n`);
  stream.write(`Host: ${url.host}\r\nConnection: close\r\n\r\n`);
  process.stdout.write(await text(stream));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
