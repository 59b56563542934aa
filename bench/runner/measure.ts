/**
 * The order of things in a round. Two processes of the same code differ by up to 20 % in what the
 * JIT compiler made of them, so every round boots all servers anew. The machine drifts as well, so
 * each round measures its servers in many short passes, each in the opposite order of the one
 * before, and every other round begins at the other end.
 */
import { BootedPeer, type Ground } from './booted-peer';
import { cpuBetween, type CpuTime } from './cpu';
import { checkedNegotiation } from './negotiated';
import type { Load, Peer, Phases, Scenario } from './scenario';

/** Milliseconds of one pass: short, since a machine's speed changes within seconds. */
const PASS = 500;

/** How much is measured. */
export interface Effort {
  rounds: number;
  /** Milliseconds of measured load for each peer in each round, all passes together. */
  duration: number;
  /** Milliseconds of load before the first pass; a fifth of it before each later one. */
  warmUp: number;
}

/** The figures of one peer in one round. */
export interface Sample {
  units: number;
  seconds: number;
  /** Server CPU time of the measured phases, in microseconds. */
  cpu: CpuTime;
  /** The worst of the passes' percentiles, in microseconds. */
  latency: Load['latency'];
  cost?: number;
  notes?: Load['notes'];
}

/** The samples of one peer, one for each round. */
export interface PeerSamples {
  peer: Peer;
  negotiated: string;
  samples: Sample[];
}

/** Runs a whole scenario; `progress` gets one line for each step. */
export async function measure(
  scenario: Scenario,
  effort: Effort,
  ground: Ground,
  progress: (line: string) => void,
): Promise<PeerSamples[]> {
  const results = scenario.peers.map((peer) => ({ peer, negotiated: '', samples: [] as Sample[] }));
  for (let round = 0; round < effort.rounds; round++) {
    const order = round % 2 === 0 ? results : [...results].reverse();
    const booted: BootedPeer[] = [];
    try {
      for (const result of order) {
        const peer = await BootedPeer.boot(scenario, result.peer, ground);
        booted.push(peer);
        result.negotiated = await checkedNegotiation(peer.target);
      }
      const samples = await measureRound(scenario, effort, booted, (name) =>
        progress(`${scenario.name}: round ${round + 1} of ${effort.rounds}, ${name}`),
      );
      for (const result of results) result.samples.push(samples.get(result.peer) as Sample);
    } finally {
      await Promise.all(booted.map((peer) => peer.stop()));
    }
  }
  return results;
}

async function measureRound(
  scenario: Scenario,
  effort: Effort,
  booted: BootedPeer[],
  progress: (peerName: string) => void,
): Promise<Map<Peer, Sample>> {
  const samples = new Map<Peer, Sample>();
  // Even, so that each server is measured early and late equally often.
  const passes = scenario.onePass ? 1 : 2 * Math.max(1, Math.round(effort.duration / PASS / 2));
  const measured = effort.duration / passes;
  for (let pass = 0; pass < passes; pass++) {
    const warmUp = pass === 0 ? effort.warmUp : effort.warmUp / 5;
    for (const server of pass % 2 === 0 ? booted : [...booted].reverse()) {
      progress(`pass ${pass + 1} of ${passes}: ${server.peer.name}`);
      const sample = await measurePass(scenario, server, { warmUp, measure: measured });
      const before = samples.get(server.peer);
      samples.set(server.peer, before ? added(before, sample) : sample);
    }
  }
  return samples;
}

async function measurePass(
  scenario: Scenario,
  server: BootedPeer,
  phases: Phases,
): Promise<Sample> {
  let before: CpuTime | undefined;
  let after: CpuTime | undefined;
  const load = await scenario.load(server.target, phases, {
    start: () => (before = server.cpu()),
    stop: () => (after = server.cpu()),
  });
  if (!before || !after) throw new Error(`${scenario.name}: the load did not mark its borders`);
  return { ...load, cpu: cpuBetween(before, after) };
}

function added(a: Sample, b: Sample): Sample {
  const worse = (key: keyof Sample['latency']) => Math.max(a.latency[key], b.latency[key]);
  return {
    units: a.units + b.units,
    seconds: a.seconds + b.seconds,
    cpu: { user: a.cpu.user + b.cpu.user, system: a.cpu.system + b.cpu.system },
    latency: { p50: worse('p50'), p90: worse('p90'), p99: worse('p99'), max: worse('max') },
    cost: b.cost,
    notes: b.notes ?? a.notes,
  };
}
