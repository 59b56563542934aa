/**
 * axios over AWS-LC: an https.Agent whose connections are kept and resumed.
 *
 *     node examples/dist/axios-client.js https://localhost:8443/ examples/.certificate/ca.pem
 */
import { createHttpsAgent } from '@node-aws-lc/undici-connector';
import axios from 'axios';

async function main(): Promise<void> {
  const [address = 'https://localhost:8443/', caFile] = process.argv.slice(2);
  const client = axios.create({
    httpsAgent: createHttpsAgent({ caFile, keepAlive: true }),
    // Through a proxy of the environment axios would use an agent and a TLS of its own.
    proxy: false,
    // Follow no redirect to http:, which the agent has no say in.
    beforeRedirect: ({ protocol }: { protocol?: string }) => {
      if (protocol !== 'https:') throw new Error(`redirected to ${protocol}`);
    },
  });

  const { status, headers, data } = await client.get<string>(address, { responseType: 'text' });
  console.log(status, String(headers['content-type']));
  console.log(data);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
