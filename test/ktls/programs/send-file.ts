/** `node send-file.js FILE`: sends the file over kernel TLS, and prints how much arrived. */
import { openSync } from 'node:fs';
import { connectedPair } from '../../core/programs/states.js';

async function main(file: string): Promise<void> {
  const { client, server } = await connectedPair();
  let received = 0;
  server.on('data', (chunk: Buffer) => (received += chunk.length));
  const sent = await client.sendFile(openSync(file, 'r'));
  client.end();
  server.on('end', () => {
    console.log(`${sent} sent, ${received} received, tx ${client.ktls.tx}`);
    process.exit();
  });
}

void main(process.argv[2]!);
