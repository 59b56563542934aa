import { figureOf } from '../runner/table';
import { nodeOf, type Result } from './result';

/** The chart, then a table for every result. */
export function markdown(results: Result[]): string {
  return ['![CPU relative to node:tls](benchmarks.svg)\n', ...results.map(section)].join('\n');
}

function section(result: Result): string {
  const { scenario, machine, versions, effort, peers, time, commit } = result;
  const negotiated = new Set(peers.map((peer) => peer.negotiated).filter((one) => one !== 'plain'));
  const on = [
    `Node ${versions.node}, AWS-LC ${versions.awsLc}`,
    `${machine.cores} cores of ${machine.cpu ?? 'unknown'}, ${machine.kernel}`,
    `${effort.rounds} rounds, ${time.slice(0, 10)}`,
    ...(commit === undefined
      ? []
      : [`commit ${commit.slice(0, 10)}${commit.endsWith('-dirty') ? ' with changes' : ''}`]),
  ];
  const rows = peers.map(({ peer, cost, ratio, against, unitsPerSecond, latency }) => {
    const of = against === undefined || against === scenario.baseline ? '' : ` of ${against}`;
    return [
      peer,
      cost.median.toFixed(1),
      ratio
        ? `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})${of}`
        : '',
      Math.round(unitsPerSecond).toString(),
      (latency.p50 / 1000).toFixed(2),
      (latency.p99 / 1000).toFixed(2),
    ];
  });
  const header = [
    '',
    figureOf(scenario),
    'ratio (min–max)',
    `${scenario.unit}s/s`,
    'p50 ms',
    'p99 ms',
  ];
  const table = [header, ['---', ...header.slice(1).map(() => '---:')], ...rows];
  return [
    `### ${scenario.name}, ${nodeOf(result)}`,
    '',
    `${scenario.title}. ${[...negotiated].join(', ')}`.trim(),
    '',
    ...table.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `${on.join('; ')}.`,
    '',
  ].join('\n');
}
