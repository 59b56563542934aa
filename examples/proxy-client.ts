/**
 * undici through the environment's proxy (HTTPS_PROXY, NO_PROXY), with AWS-LC inside the tunnel.
 *
 *     HTTPS_PROXY=http://user:secret@localhost:3128 \
 *       node examples/dist/proxy-client.js https://localhost:8443/ examples/.certificate/ca.pem
 */
import { createProxyAgent } from '@node-aws-lc/undici-connector';
import { request } from 'undici';

async function main(): Promise<void> {
  const [address = 'https://localhost:8443/', caFile] = process.argv.slice(2);
  const dispatcher = createProxyAgent({ requestTls: { caFile } });

  const { statusCode, headers, body } = await request(address, { dispatcher });
  console.log(statusCode, headers['content-type']);
  console.log(await body.text());
  await dispatcher.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
