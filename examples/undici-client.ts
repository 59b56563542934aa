/**
 * undici over AWS-LC, h2 where the server has it.
 *
 *     node examples/dist/undici-client.js https://localhost:8443/ examples/.certificate/ca.pem
 *
 * Without a file of roots the system's are trusted.
 */
import { createConnector } from '@node-aws-lc/undici-connector';
import { Agent, request } from 'undici';

async function main(): Promise<void> {
  const [address = 'https://localhost:8443/', caFile] = process.argv.slice(2);
  const agent = new Agent({ connect: createConnector({ caFile, allowH2: true }) });

  const { statusCode, headers, body } = await request(address, { dispatcher: agent });
  console.log(statusCode, headers['content-type']);
  console.log(await body.text());
  await agent.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
