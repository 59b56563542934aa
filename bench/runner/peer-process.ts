/**
 * The inside of a peer's process: each file in `peers/` calls `servePeer` with a function that
 * starts its server. The outside is `booted-peer.ts`.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import type { CertificateFiles } from './certificate';
import { PIN, type Pin, type Question, type Stack } from './scenario';

/** Key and certificate in PEM, and what else is pinned; default `PIN`. */
export interface Credentials {
  key: string;
  cert: string;
  pin?: Pin;
}

/** What the runner tells a peer. */
export interface PeerOrders {
  stack: Stack;
  pin: Pin;
  files: CertificateFiles;
  /** The scenario's own: sizes, paths, names. */
  settings: Record<string, number | string>;
}

/** The same with the files read. */
export type PeerSetup = PeerOrders & Credentials & { pin: Pin };

/** What a peer answers; whatever JSON can hold. */
export type Answers = (question: Question) => unknown;

/** Options of a `node:tls`, `node:https` or `node:http2` server with everything pinned. */
export function pinnedForNode({ key, cert, pin = PIN }: Credentials) {
  const { protocol, suite, group } = pin;
  return { key, cert, minVersion: protocol, ciphers: suite, ecdhCurve: group };
}

/** The same for a server of ours. kTLS stays off: these rows compare userspace with userspace. */
export function pinnedForOurs({ key, cert, pin = PIN }: Credentials) {
  const { protocol, suite, group } = pin;
  return {
    key,
    cert,
    minVersion: protocol,
    cipherSuites: [suite],
    groups: [group],
    ktls: 'off' as const,
  };
}

/** Listens on a free port of 127.0.0.1 and resolves when connections are accepted. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Runs a peer: `start` resolves with the port that it serves on 127.0.0.1, 0 for none. */
export function servePeer(
  start: (setup: PeerSetup) => Promise<number> | number,
  answers?: Answers,
): void {
  const orders = JSON.parse(process.argv[2] ?? '') as PeerOrders;
  const setup: PeerSetup = {
    ...orders,
    key: readFileSync(orders.files.key, 'utf8'),
    cert: readFileSync(orders.files.cert, 'utf8'),
  };
  // The runner going away must not leave servers behind.
  process.once('disconnect', () => process.exit());
  Promise.resolve(start(setup)).then(
    (port) => process.send?.({ port }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
  if (!answers) return;
  const answer = async (question: Question): Promise<void> => {
    const said = await answers(question);
    process.send?.(said ?? null);
  };
  process.on('message', (question: Question) => {
    answer(question).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}
