/**
 * node:http2 over AWS-LC.
 *
 *     node examples/dist/http2-client.js https://localhost:8443/ examples/.certificate/ca.pem
 */
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import { createHttp2Connect } from '@node-aws-lc/undici-connector';

async function main(): Promise<void> {
  const [address = 'https://localhost:8443/', caFile] = process.argv.slice(2);
  const { origin, pathname } = new URL(address);
  const session = connect(origin, { createConnection: createHttp2Connect({ caFile }) });
  // The request fails with it, and says why.
  session.on('error', () => {});

  const stream = session.request({ ':path': pathname });
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  console.log(headers[':status'], headers['content-type']);
  console.log(await text(stream));
  session.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
