/**
 * Connects once with the trust that this process' environment gives and prints `connected` or the
 * error's code. Arguments: port, server name, and optionally a file of roots to pass as `ca`.
 */
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const [port, serverName, caFile] = process.argv.slice(2);

async function main(): Promise<string> {
  const config = new ClientConfig(caFile ? { ca: readFileSync(caFile) } : {});
  const transport = net.connect(Number(port), '127.0.0.1');
  try {
    const stream = await new TlsConnector(config).connect(serverName!, transport);
    stream.destroy();
    return 'connected';
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

void main().then((result) => console.log(result));
