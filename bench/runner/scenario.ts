/**
 * What a scenario is made of. A scenario is one file in `scenarios/` that exports a `Scenario`
 * named `scenario`; nothing else has to be told that it exists.
 */

/** Suite and group that every TLS peer of every scenario uses, so that they do equal work. */
export const PIN = { protocol: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256', group: 'X25519' };

/** One server under measurement. Its process is booted anew in every round. */
export interface Peer {
  /** Shown in the table; unique in the scenario. */
  name: string;
  /** File in `peers/`, without extension, that runs the server (see `peer-process.ts`). */
  server: string;
  /** False for the plain-text peer that shows the limit; default true. */
  tls?: boolean;
  /** Name of the peer that this one is divided by; default the scenario's `baseline`. */
  against?: string;
}

/** A server that listens on 127.0.0.1. */
export interface Target {
  port: number;
  tls: boolean;
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

/** What a load generator saw in its measured phase. */
export interface Load {
  /** Requests answered, or handshakes finished. */
  units: number;
  seconds: number;
  /** Microseconds a unit took, as the client saw it. */
  latency: { p50: number; p90: number; p99: number; max: number };
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
  peers: Peer[];
  /** Name of the peer that the others are divided by. */
  baseline: string;
  /** Name of the peer that shows what is possible without TLS. */
  limit?: string;
  /** Makes ready what the load needs; throws `MissingTool` when it cannot. */
  prepare(): Promise<void> | void;
  /** Puts load on one server. */
  load(target: Target, phases: Phases, borders: Borders): Promise<Load>;
}
