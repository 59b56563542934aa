/** Stock clients for one request each: node:https, node:http2, curl. */
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import type { Test } from 'tap';
import { type Ended, run } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { nextEvent, within } from '../helpers/wait.js';

/** A response, its body read. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One request over HTTP/1.1 by node:https. */
export async function h1(
  port: number,
  path = '/',
  options: https.RequestOptions & { ALPNProtocols?: string[]; body?: string } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  const ca = (await pki.root()).cert;
  const request = https.request({ host: '127.0.0.1', port, path, ca, agent: false, ...rest });
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('error', reject);
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    });
  });
  request.end(body);
  return within('an HTTP/1.1 response', answer);
}

/** An h2 session by node:http2, destroyed when the test ends. */
export async function h2Session(
  t: Test,
  port: number,
  options: http2.SecureClientSessionOptions = {},
): Promise<http2.ClientHttp2Session> {
  const ca = (await pki.root()).cert;
  const session = http2.connect(`https://localhost:${port}`, {
    ca,
    lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    ...options,
  });
  t.teardown(() => session.destroy());
  session.on('error', () => {});
  await nextEvent(session, 'connect');
  return session;
}

/** One request on an h2 session. */
export async function h2(
  session: http2.ClientHttp2Session,
  path = '/',
  headers: http2.OutgoingHttpHeaders = {},
  body?: string,
): Promise<Answer> {
  const stream = session.request({ ':path': path, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const answer = new Promise<Answer>((resolve, reject) => {
    let text = '';
    let received: http2.IncomingHttpHeaders = {};
    stream.on('error', reject);
    stream.on('response', (responseHeaders) => (received = responseHeaders));
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.on('end', () =>
      resolve({
        status: Number(received[':status']),
        headers: received,
        body: text,
      }),
    );
  });
  return within('an h2 response', answer);
}

/** A TLS connection by node:tls on which the test speaks by hand; destroyed when the test ends. */
export async function rawTls(
  t: Test,
  port: number,
  options: tls.ConnectionOptions & { allowHalfOpen?: boolean } = {},
): Promise<tls.TLSSocket> {
  const ca = (await pki.root()).cert;
  const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...options });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  await nextEvent(socket, 'secureConnect');
  return socket;
}

/** A TCP connection; destroyed when the test ends. */
export async function rawTcp(t: Test, port: number, host = '127.0.0.1'): Promise<net.Socket> {
  const socket = net.connect({ host, port });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  await nextEvent(socket, 'connect');
  return socket;
}

/** Everything that arrives on a socket until it closes. */
export async function untilClosed(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await nextEvent(socket, 'close', 20_000);
  return Buffer.concat(chunks);
}

/** Runs curl; where it trusts the test root through a file of its own. */
export async function curl(t: Test, args: string[]): Promise<Ended> {
  const directory = t.testdir({ 'root.pem': (await pki.root()).cert });
  return run(t, 'curl', ['-sS', '--max-time', '20', '--cacert', `${directory}/root.pem`, ...args]);
}
