/** The matrix as the documentation shows it. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { handshakes } from './cell.js';

const file = path.join(__dirname, '..', '..', '..', '..', 'docs', 'interop.md');

/** The rows of a table, by their first three columns. */
export type Rows = Map<string, string[]>;

const head = ['client', 'server', 'version', 'keys', ...handshakes];

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function render(rows: Rows): string {
  const body = [...rows].map(([key, cells]) => row([key, ...cells]));
  return [row(head), row(head.map(() => '---')), ...body].join('\n');
}

/** The rows of the committed table; the formatter has padded them. */
export function documented(): Rows {
  const [, table = ''] = /<!-- table -->([^]*)<!-- end -->/.exec(readFileSync(file, 'utf8')) ?? [];
  const lines = table.trim().split('\n').slice(2);
  return new Map(
    lines.map((line) => {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [cells.slice(0, 4).join(' | '), cells.slice(4)];
    }),
  );
}

/** Puts this run's table in the place of the committed one. */
export function write(rows: Rows): void {
  const text = readFileSync(file, 'utf8');
  const table = `<!-- table -->\n\n${render(rows)}\n\n<!-- end -->`;
  writeFileSync(file, text.replace(/<!-- table -->[^]*<!-- end -->/, table));
}
