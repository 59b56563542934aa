/** What is measured: ways for bytes to go, and what is done on them. */

/** How a server's end of a connection works. */
export interface Way {
  readonly name: string;
  readonly tls: 'none' | 'node' | 'ours';
  /** Which directions are in the kernel, with `ours`. */
  readonly ktls?: { readonly tx: boolean; readonly rx: boolean };
}

const off = { tx: false, rx: false };

export const WAYS = {
  plain: { name: 'plain', tls: 'none' },
  node: { name: 'node:tls', tls: 'node' },
  ours: { name: 'ours, userspace', tls: 'ours', ktls: off },
  tx: { name: 'ours, kTLS sending', tls: 'ours', ktls: { tx: true, rx: false } },
  rx: { name: 'ours, kTLS receiving', tls: 'ours', ktls: { tx: false, rx: true } },
  both: { name: 'ours, kTLS both', tls: 'ours', ktls: { tx: true, rx: true } },
} as const satisfies Record<string, Way>;

/** What the server does with each request of the client. */
export type Work = 'download' | 'upload' | 'read-stream' | 'send-file' | 'http';

/** One line of a scenario's table. */
export interface Row {
  readonly way: keyof typeof WAYS;
  readonly work: Work;
  /** Said behind the way's name. */
  readonly note?: string;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly unit: 'byte' | 'request';
  /** Bytes that a transfer has, or requests that a batch has. */
  readonly units: number;
  /** Transfers before the ones that count, for the JIT compiler. */
  readonly warmUp: number;
  readonly rows: readonly Row[];
}

const MiB = 2 ** 20;
const every = (work: Work): Row[] =>
  (Object.keys(WAYS) as (keyof typeof WAYS)[]).map((way) => ({ way, work }));

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'download',
    title: 'bulk download, writes of 64 KiB',
    unit: 'byte',
    units: 4 * MiB,
    warmUp: 8,
    rows: every('download'),
  },
  {
    name: 'upload',
    title: 'bulk upload',
    unit: 'byte',
    units: 4 * MiB,
    warmUp: 8,
    rows: every('upload'),
  },
  {
    name: 'file',
    title: 'static file of 4 MiB, over and over',
    unit: 'byte',
    units: 4 * MiB,
    warmUp: 8,
    rows: [
      { way: 'plain', work: 'read-stream', note: 'createReadStream().pipe()' },
      { way: 'node', work: 'read-stream', note: 'createReadStream().pipe()' },
      { way: 'ours', work: 'read-stream', note: 'createReadStream().pipe()' },
      { way: 'both', work: 'read-stream', note: 'createReadStream().pipe()' },
      { way: 'ours', work: 'send-file', note: 'sendFile()' },
      { way: 'both', work: 'send-file', note: 'sendFile()' },
    ],
  },
  {
    name: 'http',
    title: 'small HTTP/1.1 responses, one after another on a connection',
    unit: 'request',
    units: 200,
    warmUp: 8,
    rows: every('http'),
  },
];

/** As it is written in tables, and in the baseline. */
export function rowName({ way, note }: Row): string {
  const { name } = WAYS[way];
  return note === undefined ? name : `${name}, ${note}`;
}

/**
 * The rows that the gate judges, and node:tls's, by which it judges on another kernel: those that repeat to less than 1 %.
 * What an upload and a request take depends on how the wake-ups of two processes fall.
 */
export function gateRows(): Record<string, string[]> {
  const named = (wanted: Work, ways: Row['way'][]) =>
    SCENARIOS.flatMap(({ rows }) => rows)
      .filter(({ way, work }) => work === wanted && ways.includes(way))
      .map(rowName);
  return {
    download: named('download', ['node', 'ours', 'both']),
    file: named('send-file', ['ours', 'both']),
  };
}
