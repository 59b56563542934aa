/**
 * got over AWS-LC: h2 where the server has it, HTTP/1.1 elsewhere.
 *
 *     node examples/dist/got-client.js https://localhost:8443/ examples/.certificate/ca.pem
 */
import { createHttp2Connect, createHttpsAgent } from '@node-aws-lc/undici-connector';
import http2wrapper, { type AutoRequestOptions } from 'http2-wrapper';

async function main(): Promise<void> {
  const [address = 'https://localhost:8443/', caFile] = process.argv.slice(2);
  const { got } = await import('got');

  const connect = createHttp2Connect({ caFile });
  // Which of the two it is, ALPN tells: http2-wrapper asks once an origin.
  const resolveProtocol = http2wrapper.auto.createResolveProtocol(new Map(), new Map(), connect);
  const http2Agent = new http2wrapper.Agent();
  http2Agent.createConnection = (origin, options) => Promise.resolve(connect(origin, options));
  const client = got.extend({
    http2: true,
    agent: { https: createHttpsAgent({ caFile, keepAlive: true }), http2: http2Agent },
    // As http.request(), it is called with an address and options, and for the cache with options alone.
    request: (...given: unknown[]) => {
      const options = given.map((value) =>
        value instanceof URL || typeof value === 'function'
          ? value
          : { ...(value as AutoRequestOptions), resolveProtocol },
      );
      return http2wrapper.auto(...(options as Parameters<typeof http2wrapper.auto>));
    },
    cache: new Map(),
  });

  const { statusCode, headers, body } = await client(address);
  console.log(statusCode, headers['content-type']);
  console.log(body);
  http2Agent.destroy();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
