import type * as http2 from 'node:http2';
import type { ServerConfigOptions } from '../config/options';
import { renewOptions } from '../config/renew';
import { ConfigError } from '../errors';
import type { HandshakeLimits } from './admission';
import type { ResetLimits } from './reset-limit';
import type { RedirectHttpOptions } from './redirect';

/** The HTTP versions that can be negotiated on one port. */
export type HttpProtocol = 'h2' | 'http/1.1';

/** Options of an HTTPS server: everything that `ServerConfig` takes, and what HTTP adds. */
export interface HttpsOptions extends Omit<ServerConfigOptions, 'ALPNProtocols' | 'alpnProtocols'> {
  /**
   * The HTTP versions offered by ALPN (RFC 7301), best first; a client that offers others only is
   * refused with the alert `no_application_protocol`. Without `'http/1.1'` a client that sends no
   * ALPN is refused too.
   * @default ['h2', 'http/1.1']
   */
  alpnProtocols?: HttpProtocol[] | undefined;
  /** The same as `alpnProtocols`. */
  ALPNProtocols?: HttpProtocol[] | undefined;
  /** Options of `http2.createServer()`: `settings`, `maxSessionMemory`, `streamResetRate`, … */
  http2?: (http2.ServerOptions & ResetLimits) | undefined;
  /** Limits on handshakes, beside `handshakeTimeout`. Default: none. */
  handshakeLimits?: HandshakeLimits | undefined;
  /** Opens a second listener, in plain HTTP, that redirects to this server and does nothing else. */
  redirectHttp?: RedirectHttpOptions | undefined;
  /**
   * Milliseconds that a connection on which nothing goes on stays open after `close()`. A request
   * that was on its way at that moment is still answered, so that a restart fails none; 0 closes at
   * once, as `node:https` does.
   * @default 250
   */
  closeGracePeriod?: number | undefined;
}

/** Options in which the protocols and the period have been decided. */
export interface DecidedOptions extends Omit<HttpsOptions, 'ALPNProtocols'> {
  alpnProtocols: HttpProtocol[];
  closeGracePeriod: number;
}

const SERVED: readonly HttpProtocol[] = ['h2', 'http/1.1'];
const CLOSE_GRACE_PERIOD = 250;

/**
 * Fills in the defaults and sees to it that nothing is negotiated that nobody serves.
 *
 * @throws ConfigError `ERR_AWS_LC_CONFIG_ALPN`, `ERR_AWS_LC_CONFIG_TYPE`
 */
export function decide(options: HttpsOptions): DecidedOptions {
  const { alpnProtocols, ALPNProtocols, closeGracePeriod = CLOSE_GRACE_PERIOD, ...rest } = options;
  const offered: unknown = alpnProtocols ?? ALPNProtocols ?? [...SERVED];
  if (!isServed(offered)) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_ALPN',
      'alpnProtocols',
      "expected a non-empty list of 'h2' and 'http/1.1'",
    );
  }
  if (!Number.isFinite(closeGracePeriod) || closeGracePeriod < 0) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_TYPE',
      'closeGracePeriod',
      'expected milliseconds, zero or more',
    );
  }
  return { ...rest, alpnProtocols: offered, closeGracePeriod };
}

function isServed(offered: unknown): offered is HttpProtocol[] {
  if (!Array.isArray(offered) || offered.length === 0) return false;
  return offered.every((name) => SERVED.includes(name as HttpProtocol));
}

/** `current` with what `next` changes; what belongs together is changed together. */
export function renew(current: DecidedOptions, next: Partial<HttpsOptions>): DecidedOptions {
  return decide(renewOptions(current, next) as HttpsOptions);
}
