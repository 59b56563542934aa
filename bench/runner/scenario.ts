/**
 * What a scenario is made of. Each file in `scenarios/` exports a list of them named `scenarios`;
 * nothing else has to be told that it exists.
 */
import type { PeerOrders } from './peer-process';

/** What every TLS peer of a scenario negotiates, so that they do equal work. */
export interface Pin {
  protocol: 'TLSv1.3';
  suite: string;
  group: string;
  certificate: 'ECDSA P-256' | 'RSA-2048';
}

/** What is pinned where a scenario says nothing else. */
export const PIN: Pin = {
  protocol: 'TLSv1.3',
  suite: 'TLS_AES_128_GCM_SHA256',
  group: 'X25519',
  certificate: 'ECDSA P-256',
};

/** A pin as it is printed and compared. */
export function pinText({ protocol, suite, group, certificate }: Pin): string {
  return `${protocol} ${suite} ${group}, ${certificate} certificate`;
}

/** Who does TLS in a peer: nobody, Node, or this library. */
export type Stack = 'plain' | 'node' | 'ours';

/** One server under measurement. Its process is booted anew in every round. */
export interface Peer {
  /** Shown in the table; unique in the scenario. */
  name: string;
  /** File in `peers/`, without extension, that runs the server (see `peer-process.ts`). */
  server: string;
  /** `plain` shows the limit. */
  stack: Stack;
  /** Name of the peer that this one is divided by; default the scenario's `baseline`. */
  against?: string;
}

/** A peer's process, and the server on 127.0.0.1 that is loaded. */
export interface Target {
  port: number;
  tls: boolean;
  pin: Pin;
  /** The process under measurement. */
  pid: number;
  /** Asks the peer's process; resolves with its answer. A peer that is the load tells its borders. */
  ask: (question: Question, borders?: Borders) => Promise<unknown>;
}

/** A word for what is asked, and its parameters. */
export interface Question {
  ask: string;
  [parameter: string]: number | string;
}

/** How long a load generator runs, in milliseconds. */
export interface Phases {
  warmUp: number;
  measure: number;
}

/**
 * Called by a load generator at the borders of its measured phase: the server's CPU time is read
 * there, so warm-up and the opening of connections stay out of the figures.
 */
export interface Borders {
  start(): void;
  stop(): void;
}

/** Microseconds. */
export interface Latency {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** What a load generator saw in its measured phase. */
export interface Load {
  /** Requests answered, or handshakes finished. */
  units: number;
  seconds: number;
  /** Microseconds a unit took, as the client saw it. */
  latency: Latency;
  /** What a unit costs, where the scenario has a `figure` of its own. */
  cost?: number;
  /** Whatever else is worth keeping beside the figures. */
  notes?: Record<string, number | string>;
}

/** One row group of the benchmark: some peers, one load. */
export interface Scenario {
  /** As typed on the command line. */
  name: string;
  /** One line that says what is measured. */
  title: string;
  /** What is counted: `request`, `handshake`, … */
  unit: string;
  /** What `Load.cost` is, with its unit; default the CPU time a unit takes. */
  figure?: string;
  /** Where it differs from `PIN`. */
  pin?: Partial<Pin>;
  /** Told to every peer. */
  settings?: PeerOrders['settings'];
  /** Options of `node` for the peers. */
  execArgv?: string[];
  /** One pass a round, for a load that cannot be repeated on the same process. */
  onePass?: boolean;
  /** Major version of the oldest Node whose `node:tls` can do it. */
  oldestNode?: number;
  peers: Peer[];
  /** Name of the peer that the others are divided by. */
  baseline: string;
  /** Name of the peer that shows what is possible without TLS. */
  limit?: string;
  /** Makes ready what the load needs; throws `MissingTool` when it cannot. */
  prepare?(): void;
  /** Puts load on one server. */
  load(target: Target, phases: Phases, borders: Borders): Promise<Load>;
}
