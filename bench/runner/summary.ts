import type { PeerSamples, Sample } from './measure';
import type { Scenario } from './scenario';
import { median, spread, type Spread } from './stats';

/** What is reported of one peer. Latency in microseconds. */
export interface PeerSummary {
  peer: string;
  negotiated: string;
  /** Server CPU per unit, in microseconds, or the scenario's own figure. */
  cost: Spread;
  /** Part of the CPU time spent in the kernel, as a fraction. */
  systemShare: number;
  /** Peer that `ratio` divides by; none for that peer itself. */
  against?: string;
  /** `cost` divided by that of `against` in the same round. */
  ratio?: Spread;
  /** The same, divided by the scenario's `limit`. */
  ofLimit?: Spread;
  unitsPerSecond: number;
  latency: { p50: number; p90: number; p99: number; max: number };
  rounds: Sample[];
}

/** Medians over the rounds; ratios are taken within each round first. */
export function summarize(scenario: Scenario, results: PeerSamples[]): PeerSummary[] {
  const costs = new Map(results.map((one) => [one.peer.name, one.samples.map(costOf)]));
  const ratioTo = (name: string, other: string | undefined): Spread | undefined => {
    const own = costs.get(name);
    const reference = other === undefined || other === name ? undefined : costs.get(other);
    if (!own || !reference) return undefined;
    return spread(own.map((cost, round) => cost / (reference[round] as number)));
  };
  return results.map(({ peer, negotiated, samples }) => {
    const against = peer.against ?? scenario.baseline;
    const middle = (pick: (sample: Sample) => number) => median(samples.map(pick));
    return {
      peer: peer.name,
      negotiated,
      cost: spread(samples.map(costOf)),
      systemShare: middle(({ cpu }) => cpu.system / Math.max(1, cpu.user + cpu.system)),
      against: against === peer.name ? undefined : against,
      ratio: ratioTo(peer.name, against),
      ofLimit: ratioTo(peer.name, scenario.limit),
      unitsPerSecond: middle(({ units, seconds }) => units / seconds),
      latency: {
        p50: middle(({ latency }) => latency.p50),
        p90: middle(({ latency }) => latency.p90),
        p99: middle(({ latency }) => latency.p99),
        max: middle(({ latency }) => latency.max),
      },
      rounds: samples,
    };
  });
}

function costOf({ cost, cpu, units }: Sample): number {
  return cost ?? (cpu.user + cpu.system) / units;
}
