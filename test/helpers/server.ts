/** A TLS service of the library under test, listening for whoever wants to call it. */
import {
  ServerConfig,
  type ServerConfigOptions,
  TlsAcceptor,
  type TlsStream,
} from '@node-aws-lc/core';
import type net from 'node:net';
import type { Test } from 'tap';
import { serverOptions } from './handshake.js';
import { listener } from './transports.js';
import { type CodedError, eventually } from './wait.js';

/** A listening service and what it has seen so far. */
export interface TestServer {
  port: number;
  /** Streams accepted, in order. */
  streams: TlsStream[];
  /** Handshakes refused, in order. */
  failures: CodedError[];
  /** Resolves when `count` handshakes have failed, with the last failure. */
  failed(count?: number): Promise<CodedError>;
  /** Resolves when `count` streams were accepted, with the last one. */
  accepted(count?: number): Promise<TlsStream>;
}

/**
 * Starts a service on a free loopback port. `onStream` gets each accepted stream; by default it
 * sends back what it receives and ends when its peer does.
 */
export async function tlsServer(
  t: Test,
  options: ServerConfigOptions = {},
  onStream: (stream: TlsStream) => void = echo,
): Promise<TestServer> {
  const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions(options)));
  const streams: TlsStream[] = [];
  const failures: CodedError[] = [];
  const serve = async (socket: net.Socket): Promise<void> => {
    try {
      const stream = await acceptor.accept(socket);
      t.teardown(() => stream.destroy());
      streams.push(stream);
      onStream(stream);
    } catch (error) {
      failures.push(error as CodedError);
    }
  };
  const { port } = await listener(t, (socket) => void serve(socket));
  return {
    port,
    streams,
    failures,
    async failed(count = 1) {
      await eventually(`${count} failed handshakes`, () => failures.length >= count);
      return failures[count - 1]!;
    },
    async accepted(count = 1) {
      await eventually(`${count} accepted streams`, () => streams.length >= count);
      return streams[count - 1]!;
    },
  };
}

/** Sends everything back; ends when the peer ends. A peer that is gone is no concern of a test. */
export function echo(stream: TlsStream): void {
  stream.on('error', () => {});
  stream.pipe(stream);
}
