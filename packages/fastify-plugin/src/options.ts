import type { HttpsOptions } from '@node-aws-lc/core';

/** Options of the plugin and of the server factory: those of an HTTPS server of `@node-aws-lc/core`, and more. */
export interface AwsLcTlsOptions extends HttpsOptions {
  /**
   * Whether the kernel sends files by itself, with sendfile(2): a response over HTTP/1.1 whose payload is a file stream
   * (`fs.createReadStream()`, `@fastify/static`), on a connection on which the kernel does TLS (`request.tls.ktls.tx`).
   * @default true
   */
  sendfile?: boolean | undefined;
}
