import * as http from 'node:http';
import * as tls from 'node:tls';
import { hasHttpsFront } from '@node-aws-lc/core';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { decorate } from './decorate';
import { AwsLcFastifyError } from './errors';
import { frontFor } from './front';
import type { AwsLcTlsOptions } from './options';

// async, so that what it throws is what the registration rejects with.
// eslint-disable-next-line @typescript-eslint/require-await
const plugin: FastifyPluginAsync<AwsLcTlsOptions> = async (instance, options) => {
  refuseWhatCannotWork(instance);
  const front = frontFor(instance.server, options, {
    http2SessionTimeout: instance.initialConfig.http2SessionTimeout as number,
    log: instance.log,
  });
  const root = rootOf(instance);
  decorate(root, front);
  announceHttps(root);
};

/**
 * The Fastify plugin: TLS by AWS-LC on every address that the application listens on, h2 and
 * HTTP/1.1 on one port.
 *
 * ```ts
 * const app = Fastify();
 * await app.register(awsLcTls, { key, cert });
 * await app.listen({ port: 8443 });
 * ```
 *
 * Registration rejects with `ERR_AWS_LC_FASTIFY_…` where it cannot work ({@link AwsLcFastifyError}),
 * and with the `ERR_AWS_LC_CONFIG_…` of `ServerConfig` for options that make no server.
 */
export const awsLcTls = fastifyPlugin(plugin, {
  name: '@node-aws-lc/fastify-plugin',
  fastify: '5.x',
});

function refuseWhatCannotWork({ server, initialConfig }: FastifyInstance): void {
  if (initialConfig.http2) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_HTTP2');
  if (initialConfig.https || server instanceof tls.Server) {
    throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_HTTPS');
  }
  if (!(server instanceof http.Server)) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_SERVER');
  if (server.listening) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_LISTENING');
  if (hasHttpsFront(server)) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_TWICE');
}

/**
 * What `Fastify()` returned: the instance of a nested plugin inherits from it. The server is that of
 * the whole application, so what is said about it belongs there.
 */
function rootOf(instance: FastifyInstance): FastifyInstance {
  let root = instance;
  while (!Object.hasOwn(root, 'addresses')) root = Object.getPrototypeOf(root) as FastifyInstance;
  return root;
}

/**
 * Fastify writes `https://` in its log, in what `listen()` resolves to and in `listeningOrigin`, if
 * its options hold `https`. No public way leads to them; should a release move them, the scheme is
 * all that is wrong, and a test says so.
 */
function announceHttps(root: FastifyInstance): void {
  const key = Object.getOwnPropertySymbols(root).find(
    ({ description }) => description === 'fastify.options',
  );
  const internals = root as unknown as Record<symbol, { https?: unknown } | undefined>;
  const options = key && internals[key];
  if (options) options.https = {};
}
