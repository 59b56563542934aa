/**
 * The server that the connector's tests talk to: Node's own TLS, so that what is proved is proved
 * against somebody else.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { PeerCertificate, SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls';
import { server as serverIdentity } from '../helpers/pki.js';
import { pattern } from './pattern.js';

/** `node:https`, or `node:http2` with HTTP/1.1 beside it. */
export type Protocol = 'http/1.1' | 'h2';

/** What an {@link Origin} is to be like. */
export interface OriginOptions {
  protocol?: Protocol;
  /** For `node:tls`; the right server certificate by default. */
  tls?: TlsOptions & SecureContextOptions;
  /** Where to listen; an unused port of 127.0.0.1 by default. */
  listen?: ListenOptions;
}

/** A running server. */
export interface Origin {
  readonly server: Server;
  readonly port: number;
  /** `https://localhost:port` */
  readonly url: string;
  /** Handshakes completed so far, each with what the server saw. */
  readonly connections: { resumed: boolean; servername: string | false; alpn: string | false }[];
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

type Request = IncomingMessage | http2.Http2ServerRequest;
type Response = ServerResponse | http2.Http2ServerResponse;

/**
 * Starts a server that answers
 *
 * - `GET /` with JSON about the request,
 * - `GET /pattern?length=n` with that much of {@link pattern},
 * - `POST /digest` with the length and SHA-256 of what it received,
 * - `POST /echo` with what it receives, as it comes,
 * - `GET /silence` with nothing, ever.
 */
export async function startOrigin(options: OriginOptions = {}): Promise<Origin> {
  const { key, chain } = await serverIdentity();
  const tlsOptions = { key, cert: chain, ...options.tls };
  const server: Server =
    options.protocol === 'h2'
      ? http2.createSecureServer({ ...tlsOptions, allowHTTP1: true }, answer)
      : https.createServer(tlsOptions, answer);
  const connections: Origin['connections'] = [];
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket: TLSSocket & { servername: string | false }) => {
    connections.push({
      resumed: socket.isSessionReused(),
      servername: socket.servername,
      alpn: socket.alpnProtocol ?? false,
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(options.listen ?? { host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = (server.address() ?? {}) as AddressInfo;
  return {
    server,
    port,
    url: `https://localhost:${port}`,
    connections,
    close: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(request: Request, response: Response): void {
  const url = new URL(request.url ?? '/', 'https://origin.test');
  const output = response as ServerResponse;
  const input = request as IncomingMessage;
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      output.setHeader('content-type', 'application/json');
      output.end(JSON.stringify(describe(request)));
      return;
    case 'GET /pattern':
      pipeline(pattern(Number(url.searchParams.get('length'))), output, () => {});
      return;
    case 'POST /digest':
      digest(input, output);
      return;
    case 'POST /echo':
      pipeline(input, output, () => {});
      return;
    case 'GET /silence':
      return;
    default:
      output.statusCode = 404;
      output.end();
  }
}

function describe(request: Request) {
  const socket = (
    'stream' in request ? request.stream.session?.socket : request.socket
  ) as TLSSocket & { servername?: string | false };
  const { CN: client } = (socket.getPeerCertificate() as Partial<PeerCertificate>).subject ?? {};
  return {
    httpVersion: request.httpVersion,
    servername: socket.servername,
    alpnProtocol: socket.alpnProtocol,
    authorized: socket.authorized,
    client,
    clientPort: socket.remotePort,
    clientAddress: socket.remoteAddress,
  };
}

function digest(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => response.end(JSON.stringify({ length, sha256: hash.digest('hex') })));
}
