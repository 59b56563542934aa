/**
 * `npm run bench:kernel`: what a byte and a request cost on the server, in instructions; see `--help`.
 */
import { parseArgs } from 'node:util';
import { makeCertificate } from '../runner/certificate';
import { reportFailure, UsageError } from '../runner/command-line';
import { judge, readBaseline, saveBaseline } from './baseline';
import { measureInLab } from './boot';
import { combine } from './counts';
import { SCENARIOS, gateRows, rowName, type Scenario } from './rows';
import { saveReport } from './report';
import { table, type Combined } from './table';

const HELP = `npm run bench:kernel -- [scenario …] [options]

Counts the instructions of servers in an emulated machine (npm run lab:count). No option: all rows,
in two boots, with the tables of docs/benchmarks-kernel.md written anew.

  --boots N         boots, whose spread is told (2)
  --gate            only the rows of the baseline, in one boot, compared with it: fails when one takes
                    more than 3 % more instructions
  --save-baseline   the same rows, kept as the baseline for this version of Node
  --help

Scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
`;

/** Exit status when the lab cannot run here: what automake takes for a skipped test. */
const UNAVAILABLE = 77;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      boots: { type: 'string', default: '2' },
      gate: { type: 'boolean', default: false },
      'save-baseline': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (values.gate) return gate();
  if (values['save-baseline']) {
    const path = saveBaseline(await measureInLab(gateRows(), await makeCertificate()));
    console.log(`[bench] ${path}`);
    return;
  }
  const scenarios = positionals.length === 0 ? SCENARIOS : positionals.map(byName);
  const boots = await bootSeveral(scenarios, Number(values.boots));
  process.stdout.write(`${table(boots)}\n`);
  if (scenarios === SCENARIOS) console.log(`[bench] ${saveReport(boots)}`);
}

/** Judges against the baseline; without one that fits there is nothing to judge. */
async function gate(): Promise<void> {
  const baseline = readBaseline(process.version);
  if (baseline === undefined) {
    console.log(
      `[bench] no baseline for Node ${process.version}: nothing is judged; ` +
        'npm run bench:kernel -- --save-baseline makes one',
    );
    return;
  }
  const { lines, failed } = judge(
    await measureInLab(gateRows(), await makeCertificate()),
    baseline,
  );
  for (const line of lines) console.log(`[bench] ${line}`);
  if (failed) process.exitCode = 1;
}

async function bootSeveral(scenarios: readonly Scenario[], count: number): Promise<Combined> {
  if (!Number.isInteger(count) || count < 1) throw new UsageError('--boots is a count');
  const rows = Object.fromEntries(scenarios.map(({ name, rows }) => [name, rows.map(rowName)]));
  const files = await makeCertificate();
  // At the same time: what one of them counts does not depend on the other.
  const boots = await Promise.all(Array.from({ length: count }, () => measureInLab(rows, files)));
  const [first] = boots;
  if (first === undefined) throw new Error('no boot');
  return { versions: first.versions, counts: combine(boots.map(({ counts }) => counts)) };
}

function byName(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found) return found;
  const known = SCENARIOS.map((scenario) => scenario.name).join(', ');
  throw new UsageError(`no scenario ${name}; there are: ${known}`);
}

main().catch((error: unknown) => reportFailure(error, UNAVAILABLE));
