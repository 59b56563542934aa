/**
 * `npm run bench:report`: the tables and the chart of docs/benchmarks.md from the results that are
 * committed in `results/published/`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './report/chart';
import { markdown } from './report/markdown';
import type { Result } from './report/result';
import { benchDir, resultsDir } from './runner/paths';

const docs = join(benchDir, '..', 'docs');
const page = join(docs, 'benchmarks.md');
const BEGIN = '<!-- made by npm run bench:report -->';
const END = '<!-- end -->';

function published(): Result[] {
  const dir = join(resultsDir, 'published');
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')) : [];
  return names.sort().map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as Result);
}

const results = published();
if (results.length === 0) {
  console.error(
    '[bench] nothing in bench/results/published/: copy result files of npm run bench there',
  );
  process.exitCode = 1;
} else {
  writeFileSync(join(docs, 'benchmarks.svg'), chart(results));
  const text = readFileSync(page, 'utf8');
  const [before = '', after = ''] = [text.split(BEGIN)[0], text.split(END)[1]];
  writeFileSync(page, `${before}${BEGIN}\n\n${markdown(results)}\n${END}${after}`);
  console.log(`[bench] docs/benchmarks.md and docs/benchmarks.svg from ${results.length} results`);
}
