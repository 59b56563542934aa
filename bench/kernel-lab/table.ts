/** Counts as tables, for a terminal and for the documentation alike. */
import type { BootCounts, Versions } from './counts';
import type { Spread } from '../runner/stats';
import { SCENARIOS, WAYS } from './rows';

/** What several boots came to. */
export interface Combined {
  versions: Versions;
  counts: BootCounts;
}

/** Every scenario's table, in Markdown. */
export function table({ counts }: Combined): string {
  const sections = SCENARIOS.filter(({ name }) => counts[name] !== undefined).map(
    ({ name, title, unit }) => {
      const rows = Object.entries(counts[name] ?? {});
      const ours = rows.find(([row]) => row.startsWith(WAYS.ours.name))?.[1].median;
      const node = rows.find(([row]) => row.startsWith(WAYS.node.name))?.[1].median;
      const lines = rows.map(
        ([row, count]) =>
          `| ${row} | ${figure(count.median)} | ${ends(count)} | ${ratio(count, node)} | ${ratio(count, ours)} |`,
      );
      return [
        `**${title}** (\`${name}\`)`,
        '',
        `|  | instructions a ${unit} | spread | of ${WAYS.node.name} | of ${WAYS.ours.name} |`,
        '| --- | ---: | ---: | ---: | ---: |',
        ...lines,
        '',
      ].join('\n');
    },
  );
  return sections.join('\n');
}

function figure(count: number): string {
  return count < 1000 ? count.toPrecision(3) : Math.round(count).toLocaleString('en');
}

/** How far the boots lie apart, of their middle; nothing where there was one only. */
function ends({ median, min, max }: Spread): string {
  return min === max ? '' : `${((100 * (max - min)) / median).toFixed(1)} %`;
}

function ratio({ median }: Spread, of: number | undefined): string {
  return of === undefined ? '' : (median / of).toFixed(2);
}
