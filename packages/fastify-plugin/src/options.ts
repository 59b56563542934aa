import type { ServerConfigOptions } from '@node-aws-lc/core';
import { AwsLcFastifyError } from './errors';

/** The HTTP versions that can be negotiated on one port. */
export type HttpProtocol = 'h2' | 'http/1.1';

/** Options of the plugin and of the server factory: everything that `ServerConfig` takes. */
export interface AwsLcTlsOptions extends Omit<
  ServerConfigOptions,
  'ALPNProtocols' | 'alpnProtocols'
> {
  /**
   * The HTTP versions offered by ALPN (RFC 7301), best first; a client that offers others only is
   * refused with the alert `no_application_protocol`. Without `'http/1.1'` a client that sends no
   * ALPN is refused too.
   * @default ['h2', 'http/1.1']
   */
  alpnProtocols?: HttpProtocol[] | undefined;
  /** The same as `alpnProtocols`. */
  ALPNProtocols?: HttpProtocol[] | undefined;
}

/** Options in which the protocols have been decided. */
export interface FrontOptions extends Omit<AwsLcTlsOptions, 'ALPNProtocols'> {
  alpnProtocols: HttpProtocol[];
}

const SERVED: readonly HttpProtocol[] = ['h2', 'http/1.1'];

/**
 * Fills in the ALPN default and sees to it that nothing is negotiated that nobody serves.
 *
 * @throws {AwsLcFastifyError} `ERR_AWS_LC_FASTIFY_ALPN`
 */
export function withAlpn(options: AwsLcTlsOptions): FrontOptions {
  const { alpnProtocols, ALPNProtocols, ...rest } = options;
  const offered: unknown = alpnProtocols ?? ALPNProtocols ?? [...SERVED];
  if (!isServed(offered)) throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_ALPN');
  return { ...rest, alpnProtocols: offered };
}

function isServed(offered: unknown): offered is HttpProtocol[] {
  if (!Array.isArray(offered) || offered.length === 0) return false;
  return offered.every((name) => SERVED.includes(name as HttpProtocol));
}

/** Options that say one thing between them: who gives one of them gives all of them. */
const GROUPS = [
  ['key', 'cert', 'keyFile', 'certFile', 'passphrase'],
  ['ca', 'caFile'],
  ['clientAuth', 'requestCert', 'rejectUnauthorized'],
  ['cipherSuites', 'ciphers'],
  ['groups', 'ecdhCurve'],
  ['alpnProtocols', 'ALPNProtocols'],
] as const satisfies readonly (readonly (keyof AwsLcTlsOptions)[])[];

/** `current` with what `next` changes: a new key never meets an old passphrase. */
export function renew(current: FrontOptions, next: Partial<AwsLcTlsOptions>): FrontOptions {
  const kept: Partial<AwsLcTlsOptions> = { ...current };
  for (const group of GROUPS) {
    if (group.some((name) => next[name] !== undefined)) {
      for (const name of group) delete kept[name];
    }
  }
  return withAlpn({ ...kept, ...next });
}
