import type { X509Certificate } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AwsLcFastifyError } from './errors';
import type { RequestTls } from './request-tls';

/** Says whether the client that this certificate belongs to may send this request. */
export type ClientCertificateCheck = (
  certificate: X509Certificate,
  request: FastifyRequest,
) => boolean | Promise<boolean>;

/** What of a request the hook looks at: whatever server an application is typed for, its requests have it. */
interface OverTls {
  readonly tls: RequestTls | null;
}

/**
 * An `onRequest` hook that lets through only clients with a verified certificate that `check` agrees
 * to; others are answered with 403. For routes of a server with `clientAuth`:
 *
 * ```ts
 * app.get('/', { onRequest: authorizeClient(({ subject }) => subject === 'CN=billing') }, handler);
 * ```
 *
 * The error has the code `ERR_AWS_LC_FASTIFY_CLIENT_CERTIFICATE` where the client showed no verified
 * certificate (under `inject()` there is none), `ERR_AWS_LC_FASTIFY_CLIENT_REFUSED` where the check
 * said no.
 *
 * @param check - default: every verified certificate will do
 */
export function authorizeClient(
  check: ClientCertificateCheck = () => true,
): (request: OverTls) => Promise<void> {
  return async (request) => {
    const { tls } = request;
    const certificate = tls?.authorized ? tls.peerCertificate() : undefined;
    if (certificate === undefined) {
      throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_CLIENT_CERTIFICATE');
    }
    if (!(await check(certificate, request as FastifyRequest))) {
      throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_CLIENT_REFUSED');
    }
  };
}
