/** Instructions of one row, and of all. */
import { median, spread, type Spread } from '../runner/stats';

/** Instructions a unit on the server, in user mode and in the kernel together. */
export interface RowCount {
  /** Of all transfers together, with what the garbage collector took. */
  mean: number;
  /** The median transfer's, which repeats better: the gate judges by it. */
  median: number;
}

/** By scenario, by row. */
export type Counts = Record<string, Record<string, RowCount>>;

/** The same of several boots. */
export type BootCounts = Record<string, Record<string, Spread>>;

/** What counts hold for. */
export interface Versions {
  node: string;
  kernel: string;
  qemu: string;
  awsLc: string;
}

/** What one boot measured. */
export interface Measurement {
  versions: Versions;
  counts: Counts;
}

/** Sums up the transfers of a row. */
export function rowCount(transfers: number[]): RowCount {
  const sum = transfers.reduce((total, one) => total + one, 0);
  return { mean: sum / transfers.length, median: median(transfers) };
}

/** Of several boots: the median of their means, and the ends of these. */
export function combine(boots: Counts[]): BootCounts {
  const [first = {}] = boots;
  const combined: BootCounts = {};
  for (const [scenario, rows] of Object.entries(first)) {
    combined[scenario] = {};
    for (const row of Object.keys(rows)) {
      combined[scenario][row] = spread(boots.flatMap((boot) => boot[scenario]?.[row]?.mean ?? []));
    }
  }
  return combined;
}
