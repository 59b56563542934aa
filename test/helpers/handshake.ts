/** Both ends of a TLS connection through the library under test, in one call. */
import {
  ClientConfig,
  type ClientConfigOptions,
  type HandshakeOptions,
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  TlsConnector,
  type TlsStream,
} from '@node-aws-lc/core';
import type { Duplex } from 'node:stream';
import type { Test } from 'tap';
import * as pki from './pki.js';
import { type TransportKind, transports } from './transports.js';
import { type CodedError, within } from './wait.js';

/** What a connection under test is made of; what is left out is right. */
export interface Setup {
  /** Options over {@link serverOptions}. */
  server?: ServerConfigOptions;
  /** Options over {@link clientOptions}. */
  client?: ClientConfigOptions;
  /** The name that the client asks for; default `'localhost'`. */
  serverName?: string;
  /** What lies underneath; default `'tcp'`. */
  transport?: TransportKind | { client: Duplex; server: Duplex };
  /** What both ends are told about each connection. */
  handshake?: HandshakeOptions;
}

/** Both ends after their handshakes. */
export interface Ends {
  client: TlsStream;
  server: TlsStream;
}

/** What each end came to: its stream, or its error. */
export interface Outcome {
  client: TlsStream | CodedError;
  server: TlsStream | CodedError;
}

/** A server's options: the shared certificate and its chain. */
export async function serverOptions(extra: ServerConfigOptions = {}): Promise<ServerConfigOptions> {
  const { key, chain } = await pki.server();
  return { key, cert: chain, ...extra };
}

/** A client's options: the shared root. */
export async function clientOptions(extra: ClientConfigOptions = {}): Promise<ClientConfigOptions> {
  return { ca: (await pki.root()).cert, ...extra };
}

/** Connects both ends; rejects when either handshake fails. */
export async function connected(t: Test, setup: Setup = {}): Promise<Ends> {
  const { client, server } = await handshake(t, setup);
  if (client instanceof Error) throw client;
  if (server instanceof Error) throw server;
  return { client, server };
}

/** Lets both ends shake hands and tells what each came to. */
export async function handshake(t: Test, setup: Setup = {}): Promise<Outcome> {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions(setup.server)));
  const connector = new TlsConnector(new ClientConfig(await clientOptions(setup.client)));
  const ends = await chosenTransports(t, setup.transport ?? 'tcp');
  const outcome = Promise.all([
    settled(connector.connect(setup.serverName ?? 'localhost', ends.client, setup.handshake)),
    settled(acceptor.accept(ends.server, setup.handshake)),
  ]);
  const [client, server] = await within('both handshakes', outcome);
  t.teardown(() => {
    for (const end of [client, server]) {
      if (!(end instanceof Error)) end.on('error', () => {}).destroy();
    }
  });
  return { client, server };
}

/** The error of both ends of a handshake that is meant to fail on both. */
export async function failedHandshake(
  t: Test,
  setup: Setup,
): Promise<{ client: CodedError; server: CodedError }> {
  const { client, server } = await handshake(t, setup);
  if (!(client instanceof Error)) throw new Error('the client connected');
  if (!(server instanceof Error)) throw new Error('the server accepted');
  return { client, server };
}

/** Sends `text` from one end and returns what the other end reads of the same length. */
export async function sent(from: Duplex, to: Duplex, text: string): Promise<string> {
  from.write(text);
  return read(to, Buffer.byteLength(text));
}

/** Reads exactly `length` bytes. */
export function read(from: Duplex, length: number): Promise<string> {
  const chunk = () => from.read(length) as Buffer | null;
  const arrived = new Promise<string>((resolve, reject) => {
    const attempt = (): void => {
      const bytes = chunk();
      if (bytes === null) return;
      stop();
      resolve(bytes.toString());
    };
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    const ended = (): void => fail(new Error(`ended before ${length} bytes came`));
    const stop = (): void => {
      from.off('readable', attempt).off('error', fail).off('end', ended);
    };
    from.on('readable', attempt).on('error', fail).on('end', ended);
    attempt();
  });
  return within(`${length} bytes`, arrived);
}

/** Reads until the peer ends. */
export function readAll(from: Duplex): Promise<Buffer> {
  const all = (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of from) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  })();
  return within('the end of the stream', all);
}

async function chosenTransports(t: Test, transport: Setup['transport'] & {}) {
  return typeof transport === 'string' ? transports(t, transport) : transport;
}

async function settled(promise: Promise<TlsStream>): Promise<TlsStream | CodedError> {
  return promise.catch((error: CodedError) => error);
}
