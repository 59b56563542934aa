import type * as http from 'node:http';
import * as net from 'node:net';
import { ConfigError, HttpsFront } from '@node-aws-lc/core';
import { listenOnAllOfLocalhost } from './localhost';
import type { AwsLcTlsOptions } from './options';
import { sendFilesOf } from './static-files';

/** The part of a Fastify logger that is used here. */
export interface Log {
  debug(details: object, message: string): void;
  info(message: string): void;
  warn(details: object, message: string): void;
}

/** What is to be known of the application behind the server. */
export interface Application {
  /** Idle time after which an h2 session is closed, in ms. */
  readonly http2SessionTimeout: number;
  readonly log: Log;
}

/**
 * Puts TLS in front of the server of an application, on every address that the application listens
 * on.
 *
 * @throws the errors of `HttpsFront`, `ERR_AWS_LC_CONFIG_TYPE`
 */
export function frontFor(
  server: http.Server,
  options: AwsLcTlsOptions,
  { http2SessionTimeout, log }: Application,
): HttpsFront {
  const sendfile = sendsFiles(options);
  const front = new HttpsFront(server, options, {
    http2SessionTimeout,
    // A stranger's garbage is no fault of the service: logged for those who look, counted for all.
    onFailure: ({ phase, error: err, code, remoteAddress }) => {
      const what = phase === 'h2' ? 'HTTP/2 session failed' : 'TLS handshake failed';
      log.debug({ err, code, remoteAddress }, what);
    },
  });

  if (sendfile) sendFilesOf(server);

  listenOnAllOfLocalhost(server, front, (address, port, options) => {
    const { listenTextResolver: textOf = (url) => `Server listening at ${url}` } = options;
    const { backlog, exclusive } = options;
    front.listenToo({ host: address, port, backlog, exclusive }).then(
      () => {
        const shown = net.isIPv6(address) ? `[${address}]` : address;
        log.info(textOf(`https://${shown}:${port}`));
      },
      (err: unknown) =>
        log.warn({ err, address, port }, 'Cannot listen on every address of localhost'),
    );
  });
  return front;
}

function sendsFiles({ sendfile = true }: { sendfile?: unknown }): boolean {
  if (typeof sendfile === 'boolean') return sendfile;
  throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'sendfile', 'expected true or false');
}
