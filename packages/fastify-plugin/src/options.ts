import type { ServerConfigOptions } from '@node-aws-lc/core';
import { AwsLcFastifyError } from './errors';

/** The HTTP versions that can be negotiated on one port. */
export type HttpProtocol = 'h2' | 'http/1.1';

/** Options of the plugin and of the server factory: everything that `ServerConfig` takes. */
export interface AwsLcTlsOptions extends Omit<ServerConfigOptions, 'alpnProtocols'> {
  /**
   * The HTTP versions offered by ALPN (RFC 7301), best first; a client that offers others only is
   * refused with the alert `no_application_protocol`. Without `'http/1.1'` a client that sends no
   * ALPN is refused too.
   * @default ['h2', 'http/1.1']
   */
  alpnProtocols?: HttpProtocol[];
}

const KNOWN: readonly string[] = ['h2', 'http/1.1'];

/**
 * Fills in the ALPN default and sees to it that nothing is negotiated that nobody serves.
 *
 * @throws {AwsLcFastifyError} `ERR_AWS_LC_FASTIFY_ALPN`
 */
export function withAlpn(options: AwsLcTlsOptions): ServerConfigOptions {
  const { alpnProtocols, ALPNProtocols, ...rest } = options;
  if (rest.ALPNCallback !== undefined) return options;

  const offered = alpnProtocols ?? ALPNProtocols ?? [...KNOWN];
  if (Array.isArray(offered)) {
    const served = offered.length > 0 && offered.every((name) => KNOWN.includes(name));
    if (!served) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_ALPN');
  }
  return { ...rest, ALPNProtocols: offered };
}

/** Whether a client may come without ALPN, which always means HTTP/1.1 (RFC 9113, section 3.2). */
export function allowsHttp1({ ALPNProtocols: offered }: ServerConfigOptions): boolean {
  return !Array.isArray(offered) || offered.includes('http/1.1');
}

/**
 * What a new certificate does not change: as with node:tls's `setSecureContext()` these options
 * belong to the server, all others to the certificate.
 */
const KEPT = [
  'ALPNProtocols',
  'ALPNCallback',
  'SNICallback',
  'clientAuth',
  'handshakeTimeout',
  'ktls',
  'rejectUnauthorized',
  'requestCert',
  'ticketKeys',
] as const satisfies readonly (keyof ServerConfigOptions)[];

/** The options of a server whose certificate is exchanged: `next`, over what is kept of `current`. */
export function renew(
  current: ServerConfigOptions,
  next: AwsLcTlsOptions,
): ServerConfigOptions {
  const kept = Object.fromEntries(
    KEPT.filter((name) => current[name] !== undefined).map((name) => [name, current[name]]),
  );
  return withAlpn({ ...kept, ...next });
}
