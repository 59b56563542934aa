/** What the cells of the matrix are made of, and what stands at the ends of each. */
import type { Test } from 'tap';
import type { Identity } from '../../helpers/certificate.js';

export const versions = ['TLSv1.2', 'TLSv1.3'] as const;
export const kinds = ['RSA', 'ECDSA', 'Ed25519'] as const;
export const handshakes = ['full', 'resumed', 'mTLS', 'HelloRetryRequest'] as const;

export type Version = (typeof versions)[number];
export type Kind = (typeof kinds)[number];

/** One handshake. */
export interface Cell {
  version: Version;
  /** The keys of the server, and in mTLS the client's too. */
  kind: Kind;
  handshake: (typeof handshakes)[number];
}

/** Why there is no such handshake, if there is none. */
export function impossible({ version, handshake }: Cell): string | undefined {
  if (version === 'TLSv1.2' && handshake === 'HelloRetryRequest') return 'none in TLS 1.2';
  return undefined;
}

/** The only group of a server that answers HelloRetryRequest: no client sends a share of it unasked. */
export const retriedGroup = 'P-384';

/** Who proves to be what, with files for the programs. */
export interface Credentials {
  server: Identity;
  serverFiles: CredentialFiles;
  client: Identity;
  clientFiles: CredentialFiles;
}

/** Paths of PEM files. */
export interface CredentialFiles {
  key: string;
  /** The chain, leaf first. */
  chain: string;
  leaf: string;
  intermediate: string;
  /** The root of the other end. */
  trust: string;
}

/** A server that listens. */
export interface Service {
  port: number;
  /** What it answers to a line. */
  answer: (line: string) => string;
}

/** What a client has seen of its last connection. */
export interface Seen {
  version: string;
  resumed: boolean;
  /** The line that came back. */
  line: string;
}

/** An implementation of TLS, at either end. */
export interface Peer {
  name: string;
  /** Why it cannot take part here, or false. */
  missing: string | false;
  serve(t: Test, cell: Cell, credentials: Credentials): Promise<Service>;
  /** Connects, sends a line and has it answered; where the session is to be resumed, twice. */
  call(t: Test, cell: Cell, credentials: Credentials, target: CallTarget): Promise<Seen>;
}

/** Where a client calls, and what it says there. */
export interface CallTarget {
  port: number;
  line: string;
  answer: string;
}
