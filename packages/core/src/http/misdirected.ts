import type * as http from 'node:http';
import type * as net from 'node:net';

/** Events whose first argument is a request that somebody is going to serve. */
const ANSWERABLE = new Set(['request', 'checkContinue', 'checkExpectation']);
const HANDED_OVER = new Set(['upgrade', 'connect']);

const REFUSAL =
  'HTTP/1.1 421 Misdirected Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Answers requests that came on the wrong connection with 421 (RFC 9110, section 15.5.20), before
 * anybody who serves requests hears of them: on which the client comes back on a connection of their
 * own.
 */
export function refuseMisdirected(
  server: http.Server,
  isMisdirected: (request: http.IncomingMessage) => boolean,
): void {
  const emit = server.emit.bind(server) as (name: string, ...args: unknown[]) => boolean;
  server.emit = (name: string, ...args: unknown[]): boolean => {
    const answerable = ANSWERABLE.has(name);
    if (!answerable && !HANDED_OVER.has(name)) return emit(name, ...args);
    if (!isMisdirected(args[0] as http.IncomingMessage)) return emit(name, ...args);
    if (answerable) (args[1] as http.ServerResponse).writeHead(421).end();
    else refuse(args[1] as net.Socket);
    return true;
  };
}

/**
 * Every name that a request may be taken to be for: what is asked in the absolute form (RFC 9112, section 3.2.2) too,
 * which some frameworks look at and some do not.
 */
export function hostsOf({ headers, url = '' }: http.IncomingMessage): string[] {
  const authority = headers[':authority'] as string | undefined;
  const { host = authority ?? '' } = headers;
  const target = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
  return [host, authority, target].filter((name) => name !== undefined);
}

/** node:http has let go of the socket by now: nobody else hears of its errors or closes it. */
function refuse(socket: net.Socket): void {
  socket.on('error', () => socket.destroy());
  socket.end(REFUSAL);
  socket.destroySoon();
}
