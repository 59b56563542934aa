/** A CONNECT proxy, in plaintext or behind TLS of Node's own, that counts and that can misbehave. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import type { Test } from 'tap';
import { server as serverIdentity } from '../helpers/pki.js';

/** What a {@link Proxy} is to be like. */
export interface ProxyOptions {
  /** Speak TLS to clients, with these options instead of the right certificate. */
  tls?: TlsOptions | true;
  /** Speak HTTP/2 where the client does; with `tls`. */
  http2?: boolean;
  /** What Proxy-Authorization must say; anybody may come in by default. */
  authorization?: string;
  /** Does something else with a CONNECT request than to serve it. */
  onConnect?: (socket: Duplex) => void;
}

/** A running proxy. */
export interface Proxy {
  readonly server: Server;
  readonly port: number;
  /** `http://localhost:port` or `https://localhost:port` */
  readonly url: string;
  /** Of every CONNECT request: where to, and its headers. */
  readonly tunnels: { authority: string; headers: http.IncomingHttpHeaders }[];
  /** The paths of the requests that it was to forward. */
  readonly forwarded: string[];
}

/** Starts a proxy on an unused port of 127.0.0.1; it ends with the test. */
export async function startProxy(t: Test, options: ProxyOptions = {}): Promise<Proxy> {
  const proxy = { tunnels: [] as Proxy['tunnels'], forwarded: [] as string[] };
  const { key, chain: cert } = await serverIdentity();
  const tls = options.tls === true ? { key, cert } : options.tls;
  const server: Server =
    tls === undefined
      ? http.createServer()
      : options.http2
        ? http2.createSecureServer({ ...tls, allowHTTP1: true })
        : https.createServer(tls);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });

  const isWelcome = (headers: http.IncomingHttpHeaders): boolean =>
    options.authorization === undefined || headers['proxy-authorization'] === options.authorization;

  const open = (authority: string, client: Duplex, onOpen: () => void): void => {
    const { hostname, port } = new URL(`http://${authority}`);
    // An origin at port 443 or 80 can hardly be started by a test.
    const upstream = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ''));
    upstream.once('connect', () => {
      onOpen();
      pipeline(client, upstream, client, () => {});
    });
    upstream.once('error', () => client.destroy());
  };

  server.on('connect', (request: http.IncomingMessage, socket: Socket) => {
    if ('stream' in request) return;
    socket.on('error', () => {});
    proxy.tunnels.push({ authority: request.url ?? '', headers: request.headers });
    if (options.onConnect !== undefined) options.onConnect(socket);
    else if (isWelcome(request.headers)) {
      open(request.url ?? '', socket, () => socket.write('HTTP/1.1 200 Open\r\n\r\n'));
    } else {
      socket.end('HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n');
    }
  });
  server.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    const authority = headers[':authority'] ?? '';
    stream.on('error', () => {});
    proxy.tunnels.push({ authority, headers });
    if (isWelcome(headers)) open(authority, stream, () => stream.respond({ ':status': 200 }));
    else stream.respond({ ':status': 407 }, { endStream: true });
  });
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    if ('stream' in request) return;
    proxy.forwarded.push(request.url ?? '');
    response.end('forwarded');
  });

  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { ...proxy, server, port, url: `http${tls ? 's' : ''}://localhost:${port}` };
}
