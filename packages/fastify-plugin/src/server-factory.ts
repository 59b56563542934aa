import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as http from 'node:http';
import type { HttpsFront } from '@node-aws-lc/core';
import type { FastifyInstance, FastifyServerFactory } from 'fastify';
import { decorate } from './decorate';
import { AwsLcFastifyError } from './errors';
import { frontFor, type Log } from './front';
import type { AwsLcTlsOptions } from './options';

/** What Fastify hands to a server factory: its own options, defaults filled in. */
interface FastifyOptions {
  http?: http.ServerOptions;
  http2?: boolean;
  https?: unknown;
  http2SessionTimeout: number;
  connectionTimeout: number;
  keepAliveTimeout: number;
  maxRequestsPerSocket: number;
  requestTimeout: number;
  logger: Log;
}

/**
 * The plugin in the form of a server factory, for applications that want the server to do TLS from
 * the moment it exists: `Fastify({ serverFactory: awsLcServerFactory({ key, cert }) })`. Decorates
 * the application as the plugin does.
 *
 * @throws {AwsLcFastifyError} from `Fastify(…)`: `ERR_AWS_LC_FASTIFY_HTTPS`, `_HTTP2`
 * @throws the errors of `ServerConfig`, from `Fastify(…)`
 */
export function awsLcServerFactory(options: AwsLcTlsOptions): FastifyServerFactory {
  return (handler, given) => {
    const fastify = given as unknown as FastifyOptions;
    if (fastify.http2) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_HTTP2');
    if (fastify.https) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_HTTPS');

    const server = http.createServer(fastify.http ?? {}, handler);
    applyTimeouts(server, fastify);
    const front = frontFor(server, options, {
      http2SessionTimeout: fastify.http2SessionTimeout,
      log: fastify.logger,
    });
    // So that Fastify speaks of https:// in its log and in what listen() resolves to.
    fastify.https = {};
    decorateWhenMade(server, front);
    return server;
  };
}

/** Fastify does this for the servers that it makes, not for those of a factory. */
function applyTimeouts(server: http.Server, options: FastifyOptions): void {
  server.keepAliveTimeout = options.keepAliveTimeout;
  server.requestTimeout = options.requestTimeout;
  server.setTimeout(options.connectionTimeout);
  if (options.maxRequestsPerSocket > 0) server.maxRequestsPerSocket = options.maxRequestsPerSocket;
}

/**
 * The factory runs inside `Fastify(…)`, when there is no instance yet; Fastify announces the finished
 * instance on this channel before it returns.
 */
function decorateWhenMade(server: http.Server, front: HttpsFront): void {
  const channel = 'fastify.initialization';
  const onMade = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance };
    if (fastify.server === server) decorate(fastify, front);
  };
  subscribe(channel, onMade);
  queueMicrotask(() => unsubscribe(channel, onMade));
}
