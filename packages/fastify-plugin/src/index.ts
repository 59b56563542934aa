/**
 * `@node-aws-lc/fastify-plugin`: HTTPS and HTTP/2 for Fastify on AWS-LC.
 *
 * @packageDocumentation
 */
import { awsLcTls } from './plugin';

export { AwsLcFastifyError, type AwsLcFastifyErrorCode } from './errors';
export { authorizeClient, type ClientCertificateCheck } from './client-certificate';
export type { AppTls } from './decorate';
export type { MetricsRegistry } from './metrics';
export type { AwsLcTlsOptions } from './options';
export { awsLcTls } from './plugin';
export type { RequestTls } from './request-tls';
export { awsLcServerFactory } from './server-factory';
export type { HttpProtocol, TlsStats } from '@node-aws-lc/core';
export default awsLcTls;
