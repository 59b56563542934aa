/**
 * `localhost` is two addresses on most machines. Fastify listens on the first and opens a second
 * server of its own for the other one, made as it would make any server: in plaintext. So the name
 * never gets that far: we resolve it, let Fastify's server have the first address under its own
 * name (Fastify then finds nothing left to do), and open listeners for the others ourselves.
 */
import * as dns from 'node:dns';
import type * as http from 'node:http';
import type * as net from 'node:net';
import { AwsLcFastifyError } from './errors';

/** Fastify's listen options reach the server as the same object. */
export interface ListenOptions extends net.ListenOptions {
  /** Fastify's: the text of the log line of an address. */
  listenTextResolver?: (address: string) => string;
}

/** Listens on a further address, on the port that the first one got. */
type ListenOnOther = (address: string, port: number, options: ListenOptions) => void;

/** Makes `server.listen({ host: 'localhost', … })` listen on every address of that name. */
export function listenOnAllOfLocalhost(
  server: http.Server,
  front: { readonly closings: number },
  listenOnOther: ListenOnOther,
): void {
  const listen = server.listen.bind(server) as (...args: unknown[]) => http.Server;

  server.listen = function (...args: unknown[]): http.Server {
    const [options] = args;
    if (!isLocalhost(options)) return listen(...args);

    const { closings } = front;
    dns.lookup('localhost', { all: true }, (error, found) => {
      if (front.closings !== closings) {
        server.emit('error', new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_CLOSED'));
        return;
      }
      if (error) {
        server.emit('error', error);
        return;
      }
      const [first, ...others] = new Set(found.map(({ address }) => address));
      listenAs(first as string, others);
    });
    return server;

    function listenAs(first: string, others: string[]): void {
      const given = options as ListenOptions;
      given.host = first;

      const onListening = (): void => {
        settle();
        const { port } = server.address() as net.AddressInfo;
        for (const address of others) listenOnOther(address, port, given);
      };
      const settle = (): void => {
        server.off('listening', onListening);
        server.off('error', settle);
        // Fastify has looked at the host by then. The object is the caller's: give it back as it was.
        setImmediate(() => (given.host = 'localhost'));
      };
      // Before Fastify's own listener, so that all addresses are bound when its listen() resolves.
      server.prependListener('listening', onListening);
      server.prependListener('error', settle);
      try {
        listen(...args);
      } catch (error) {
        // What listen() refuses by throwing, a bad port say, would be thrown at nobody from here.
        server.emit('error', error);
      }
    }
  } as http.Server['listen'];
}

function isLocalhost(options: unknown): options is ListenOptions {
  if (typeof options !== 'object' || options === null) return false;
  const { host, path, port } = options as ListenOptions;
  return host === 'localhost' && path == null && port != null;
}
