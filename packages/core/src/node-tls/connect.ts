import assert from 'node:assert';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { assignable } from './assignable';
import { TLSSocket, type CheckServerIdentity, type TLSSocketOptions } from './tls-socket';

/** Options of `connect`: `tls.connect`'s, `net.connect`'s, `createSecureContext`'s, and this library's own. */
export interface TlsConnectOptions extends TLSSocketOptions {
  host?: string | undefined;
  port?: number | string | undefined;
  path?: string | undefined;
  socket?: Duplex | undefined;
  servername?: string | undefined;
  timeout?: number | undefined;
  localAddress?: string | undefined;
  minDHSize?: number | undefined;
  checkServerIdentity?: CheckServerIdentity | undefined;
}

type Listener = () => void;

let warnedOfAddress = false;
let warnedOfAcceptance = false;

/**
 * Connects to a TLS server, with all the forms of arguments of `tls.connect`. The socket is returned at once; 'connect'
 * and 'secureConnect' follow, and what is written before is sent after the handshake.
 *
 * A server that fails verification is refused inside the handshake, with an alert, and never sees a client certificate.
 *
 * @throws Node's own errors and ConfigError for options that cannot work or are not offered
 */
export function connect(options: TlsConnectOptions, listener?: Listener): TLSSocket;
export function connect(
  port: number,
  host?: string,
  options?: TlsConnectOptions,
  listener?: Listener,
): TLSSocket;
export function connect(port: number, options?: TlsConnectOptions, listener?: Listener): TLSSocket;
export function connect(path: string, options?: TlsConnectOptions, listener?: Listener): TLSSocket;
export function connect(...args: unknown[]): TLSSocket {
  const [given, listener] = normalize(args);
  const { checkServerIdentity: check } = assignable();
  const options = {
    rejectUnauthorized: !acceptsUnauthorized(),
    ciphers: assignable().DEFAULT_CIPHERS,
    checkServerIdentity: check,
    minDHSize: 1024,
    ...given,
  };
  assert(typeof options.checkServerIdentity === 'function');
  const { minDHSize } = options;
  assert(typeof minDHSize === 'number', `options.minDHSize is not a number: ${minDHSize}`);
  assert(minDHSize > 0, `options.minDHSize is not a positive number: ${minDHSize}`);

  const { socket: transport, servername, host, path, port, localAddress } = options;
  const socket = new TLSSocket(transport, {
    ...options,
    secureContext: options.secureContext || assignable().createSecureContext(options),
    isServer: false,
    server: undefined,
    requestCert: true,
    rejectUnauthorized: options.rejectUnauthorized !== false,
    pauseOnConnect: false,
    handshakeTimeout: undefined,
  });
  socket._releaseControl({
    hostname: servername || host || hostOf(transport) || 'localhost',
    checkServerIdentity: options.checkServerIdentity,
    address: { path, host, port, localAddress },
  });
  if (listener !== undefined) socket.once('secureConnect', listener);
  if (servername) {
    warnOfAddress(servername);
    socket.setServername(servername);
  }
  if (!transport) {
    if (options.timeout) socket.setTimeout(options.timeout);
    socket.connect(options);
  }
  return socket;
}

type Normalize = (args: unknown[]) => [TlsConnectOptions, Listener | null];

/** [port | path | options] [host] [options] [listener]: `net.connect`'s forms with one more set of options in them. */
function normalize(args: unknown[]): [TlsConnectOptions, Listener | undefined] {
  const { _normalizeArgs: normalizeArgs } = net as unknown as { _normalizeArgs: Normalize };
  const [options, listener] = normalizeArgs(args);
  const more = [args[1], args[2]].find((arg) => typeof arg === 'object' && arg !== null);
  return [{ ...options, ...(more as TlsConnectOptions | undefined) }, listener ?? undefined];
}

/** The host that a socket of `net.connect` was told to look up. */
function hostOf(transport: Duplex | undefined): string | undefined {
  return (transport as { _host?: string } | undefined)?._host;
}

/** NODE_TLS_REJECT_UNAUTHORIZED=0 */
function acceptsUnauthorized(): boolean {
  const accepts = process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  if (accepts && !warnedOfAcceptance) {
    warnedOfAcceptance = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and HTTPS requests insecure by disabling certificate verification.",
    );
  }
  return accepts;
}

function warnOfAddress(servername: string): void {
  if (warnedOfAddress || !net.isIP(servername)) return;
  warnedOfAddress = true;
  process.emitWarning(
    'Setting the TLS ServerName to an IP address is not permitted by RFC 6066. This will be ignored in a future version.',
    'DeprecationWarning',
    'DEP0123',
  );
}
