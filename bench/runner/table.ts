import type { Scenario } from './scenario';
import type { Spread } from './stats';
import type { PeerSummary } from './summary';

/** What the first column of figures holds. */
export function figureOf({ figure, unit }: Pick<Scenario, 'figure' | 'unit'>): string {
  return figure ?? `CPU µs/${unit}`;
}

/** The summary as text for a terminal. */
export function table(scenario: Scenario, summaries: PeerSummary[]): string {
  const limit = summaries.some(({ ofLimit }) => ofLimit) ? scenario.limit : undefined;
  const header = [
    '',
    figureOf(scenario),
    'ratio (min–max)',
    ...(limit === undefined ? [] : [`of ${limit}`]),
    `${scenario.unit}s/s`,
    'p50 ms',
    'p99 ms',
  ];
  const rows = summaries.map((one) => [
    one.peer,
    one.cost.median.toFixed(1),
    ratioCell(scenario, one),
    ...(limit === undefined ? [] : [one.ofLimit ? one.ofLimit.median.toFixed(2) : '']),
    Math.round(one.unitsPerSecond).toString(),
    (one.latency.p50 / 1000).toFixed(2),
    (one.latency.p99 / 1000).toFixed(2),
  ]);
  const negotiated = summaries.map((one) => one.negotiated).filter((seen) => seen !== 'plain');
  return [
    `${scenario.name}: ${scenario.title}`,
    ...(negotiated.length === 0 ? [] : [`every TLS peer: ${[...new Set(negotiated)].join(', ')}`]),
    '',
    ...aligned([header, ...rows]),
    '',
    `CPU is the peer's, user and system; ratio is to ${scenario.baseline} in the same round` +
      ' unless a row names another peer; figures are medians over the rounds.',
  ].join('\n');
}

function ratioCell(scenario: Scenario, { ratio, against }: PeerSummary): string {
  if (!ratio) return '';
  const other = against === scenario.baseline ? '' : ` of ${against}`;
  return `${spreadText(ratio)}${other}`;
}

function spreadText({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/** The first column to the left, the others to the right. */
function aligned(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
