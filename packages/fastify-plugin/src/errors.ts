/**
 * Every error of this package, with its stable code.
 *
 * | Code | Likely cause |
 * | --- | --- |
 * | `ERR_AWS_LC_FASTIFY_HTTPS` | `Fastify({ https })`: Node's own TLS is already on the server |
 * | `ERR_AWS_LC_FASTIFY_HTTP2` | `Fastify({ http2: true })`: this package brings h2 by itself |
 * | `ERR_AWS_LC_FASTIFY_SERVER` | a `serverFactory` that does not return a plain `http.Server` |
 * | `ERR_AWS_LC_FASTIFY_LISTENING` | the server listens already, in plaintext |
 * | `ERR_AWS_LC_FASTIFY_TWICE` | registered twice, or registered on a server of `awsLcServerFactory` |
 * | `ERR_AWS_LC_FASTIFY_CLOSED` | `close()` came while `listen()` was still resolving `localhost` |
 * | `ERR_AWS_LC_FASTIFY_FILE_SHRANK` | a file was truncated while it was sent as a chunked response |
 * | `ERR_AWS_LC_FASTIFY_PROM_CLIENT` | metrics are wanted and `prom-client` is not installed |
 * | `ERR_AWS_LC_FASTIFY_CLIENT_CERTIFICATE` | `authorizeClient()`: no verified client certificate (403) |
 * | `ERR_AWS_LC_FASTIFY_CLIENT_REFUSED` | `authorizeClient()`: the check did not agree to it (403) |
 */
const MESSAGES = {
  ERR_AWS_LC_FASTIFY_HTTPS:
    'This Fastify instance was created with the https option, so Node.js already does TLS on it; ' +
    'create it without https and register the plugin',
  ERR_AWS_LC_FASTIFY_HTTP2:
    'This Fastify instance was created with the http2 option; create it without http2, the plugin ' +
    'serves h2 and HTTP/1.1 on one port by itself',
  ERR_AWS_LC_FASTIFY_SERVER:
    'The server of this Fastify instance is not a plain http.Server; return one from serverFactory',
  ERR_AWS_LC_FASTIFY_LISTENING:
    'The server is already listening and answering in plaintext; register the plugin before listen()',
  ERR_AWS_LC_FASTIFY_TWICE:
    'AWS-LC already does TLS on this server; use the plugin once, or awsLcServerFactory, not both',
  ERR_AWS_LC_FASTIFY_CLOSED: 'The server was closed before it could listen',
  ERR_AWS_LC_FASTIFY_FILE_SHRANK:
    'The file has become shorter while it was sent, so the response cannot be completed',
  ERR_AWS_LC_FASTIFY_PROM_CLIENT:
    'The package prom-client, which makes the metrics, cannot be loaded; install it beside the plugin',
  ERR_AWS_LC_FASTIFY_CLIENT_CERTIFICATE: 'A client certificate is required',
  ERR_AWS_LC_FASTIFY_CLIENT_REFUSED: 'The client certificate does not entitle to this',
} as const;

/** What Fastify answers with where the error is thrown in a hook. */
const STATUS_CODES: { [code in AwsLcFastifyErrorCode]?: number } = {
  ERR_AWS_LC_FASTIFY_CLIENT_CERTIFICATE: 403,
  ERR_AWS_LC_FASTIFY_CLIENT_REFUSED: 403,
};

/** The codes of {@link AwsLcFastifyError}. */
export type AwsLcFastifyErrorCode = keyof typeof MESSAGES;

/** An error of the Fastify plugin; `code` is stable, `message` is for people. */
export class AwsLcFastifyError extends Error {
  /** Stable across releases: what to compare against. */
  readonly code: AwsLcFastifyErrorCode;

  /** The status of the response that it makes; absent where it is no error of a request. */
  declare readonly statusCode?: number;

  /** @internal */
  constructor(code: AwsLcFastifyErrorCode, cause?: unknown) {
    super(MESSAGES[code], cause === undefined ? undefined : { cause });
    this.name = 'AwsLcFastifyError';
    this.code = code;
    const statusCode = STATUS_CODES[code];
    if (statusCode !== undefined) Object.assign(this, { statusCode });
  }
}
