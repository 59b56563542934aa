import type net from 'node:net';
import { toAnswerers } from '../config/client-hello';
import type { ServerConfig } from '../config/server-config';
import type { Answerers } from '../stream/questions';
import { requireFunction, withCode } from './node-errors';
import { SecureContext, type ServerPolicy } from './secure-context';
import { sessionAnswerers, storesSessions } from './session-store';

type Done<T> = (error: Error | null, value?: T | null) => void;

/** `tls`'s SNICallback. */
export type SNICallback = (servername: string, done: Done<SecureContext>) => void;

/** `tls`'s ALPNCallback. */
export type ALPNCallback = (offer: {
  servername: string;
  protocols: string[];
}) => string | undefined;

/** What decides about each client. */
export interface ClientHelloCallbacks {
  SNICallback?: SNICallback | undefined;
  ALPNCallback?: ALPNCallback | undefined;
  /** Whose 'OCSPRequest', 'newSession' and 'resumeSession' are asked, where somebody listens for them. */
  server?: net.Server | undefined;
}

/** @throws TypeError ERR_INVALID_ARG_TYPE, ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS */
export function checkCallbacks(options: {
  SNICallback?: unknown;
  ALPNCallback?: unknown;
  ALPNProtocols?: unknown;
}): void {
  const { SNICallback: sni, ALPNCallback: alpn, ALPNProtocols: protocols } = options;
  if (sni) requireFunction(sni, 'options.SNICallback');
  if (!alpn) return;
  if (protocols) {
    const message = 'The ALPNCallback and ALPNProtocols TLS options are mutually exclusive';
    throw withCode(new TypeError(message), 'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS');
  }
  requireFunction(alpn, 'options.ALPNCallback');
}

/** Which questions a connection has answers to. */
export function toAsks({
  SNICallback: sni,
  ALPNCallback: alpn,
  server,
}: ClientHelloCallbacks): ServerPolicy['asks'] {
  return {
    serverName: Boolean(sni),
    protocol: Boolean(alpn),
    ocspResponse: (server?.listenerCount('OCSPRequest') ?? 0) > 0,
    session: storesSessions(server),
  };
}

/** The connection that a client has opened; callbacks have its socket as `this`, as in `node:tls`. */
export interface ServedSocket {
  /** @internal Called with the context that `SNICallback` answers. */
  _serveWith(context: SecureContext): ServerConfig;
}

/** The answers of one connection. */
export function answerersOf(
  socket: ServedSocket,
  { SNICallback: sni, ALPNCallback: alpn, server }: ClientHelloCallbacks,
  policy: ServerPolicy,
): Answerers | undefined {
  const { asks } = policy;
  const sessions = asks.session ? sessionAnswerers(server as net.Server) : undefined;
  if (!asks.serverName && !asks.protocol && !asks.ocspResponse) return sessions;
  const answerers = toAnswerers(
    {
      SNICallback: sni && ((name: string) => selectConfig(socket, sni, name)),
      ALPNCallback: alpn && ((offer) => alpn.call(socket, offer)),
      OCSPCallback: asks.ocspResponse
        ? ({ certificate, issuer }) => requestOcsp(server as net.Server, certificate, issuer)
        : undefined,
    },
    (answer): answer is ServerConfig => answer !== undefined,
  );
  return { ...answerers, ...sessions };
}

function selectConfig(
  socket: ServedSocket,
  callback: SNICallback,
  name: string,
): Promise<ServerConfig | undefined> {
  return new Promise((resolve, reject) => {
    callback.call(socket, name, (error, context) => {
      if (error) reject(error);
      else if (!context) resolve(undefined);
      else if (context instanceof SecureContext) resolve(socket._serveWith(context));
      else reject(withCode(new TypeError('Invalid SNI context'), 'ERR_TLS_INVALID_CONTEXT'));
    });
  });
}

function requestOcsp(
  server: net.Server,
  certificate: Buffer,
  issuer: Buffer | undefined,
): Promise<Buffer | null | undefined> {
  return new Promise((resolve, reject) => {
    const done: Done<Buffer> = (error, response) => {
      if (error) reject(error);
      else resolve(response);
    };
    server.emit('OCSPRequest', certificate, issuer ?? null, done);
  });
}
