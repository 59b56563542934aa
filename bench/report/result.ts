import type { Scenario } from '../runner/scenario';
import type { PeerSummary } from '../runner/summary';

/** A result file, as far as it is reported. */
export interface Result {
  scenario: Pick<Scenario, 'name' | 'title' | 'unit' | 'figure' | 'baseline'>;
  time: string;
  commit?: string;
  machine: { cpu?: string; cores: number; kernel: string };
  versions: { node: string; awsLc: string };
  effort: { rounds: number };
  peers: PeerSummary[];
}

/** What a result was measured on, in short. */
export function nodeOf({ versions }: Result): string {
  return `Node ${versions.node.split('.')[0]}`;
}
