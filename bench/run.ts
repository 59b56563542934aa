/**
 * `npm run bench -- [scenario …] [options]`: measures servers side by side; see `--help`.
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from './runner/certificate';
import { measure, type Effort } from './runner/measure';
import { compiledDir } from './runner/paths';
import { saveResults } from './runner/results';
import type { Scenario } from './runner/scenario';
import { summarize } from './runner/summary';
import { table } from './runner/table';
import { MissingTool } from './runner/tools';

const HELP = `npm run bench -- [scenario …] [options]

  --rounds N       rounds, each with freshly booted servers (5)
  --duration S     seconds of measured load for each peer in each round (4)
  --quick          2 rounds of 1 second: to see that it works, not to quote
  --peers A,B      only these peers of the scenario, beside its baseline
  --help

Scenarios, all of them unless some are named:
`;

class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      duration: { type: 'string' },
      quick: { type: 'boolean' },
      peers: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const all = await loadScenarios();
  if (values.help) {
    const lines = all.map(({ name, title }) => `  ${name.padEnd(16)} ${title}\n`);
    process.stdout.write(HELP + lines.join(''));
    return;
  }
  const effort: Effort = {
    rounds: Math.ceil(positive(values.rounds, '--rounds') ?? (values.quick ? 2 : 5)),
    duration: 1000 * (positive(values.duration, '--duration') ?? (values.quick ? 1 : 4)),
    warmUp: values.quick ? 500 : 1500,
  };
  const chosen = positionals.length === 0 ? all : positionals.map((name) => byName(all, name));
  const scenarios = chosen.map((scenario) => withPeers(scenario, values.peers));
  for (const scenario of scenarios) await scenario.prepare();
  const files = await makeCertificate();
  for (const scenario of scenarios) await runScenario(scenario, effort, files);
}

async function runScenario(
  scenario: Scenario,
  effort: Effort,
  files: { key: string; cert: string },
): Promise<void> {
  const begin = Date.now();
  const progress = (line: string) => {
    const seconds = Math.round((Date.now() - begin) / 1000);
    process.stderr.write(`[bench] ${String(seconds).padStart(4)} s  ${line}\n`);
  };
  const summaries = summarize(scenario, await measure(scenario, effort, files, progress));
  const path = saveResults(scenario, effort, summaries);
  process.stdout.write(`\n${table(scenario, summaries)}\n${relative(process.cwd(), path)}\n\n`);
}

/** Every file in `scenarios/` is one. */
async function loadScenarios(): Promise<Scenario[]> {
  const dir = join(compiledDir, 'scenarios');
  const names = readdirSync(dir).filter((name) => name.endsWith('.js'));
  const modules = names.map((name) => import(join(dir, name)) as Promise<{ scenario: Scenario }>);
  return (await Promise.all(modules)).map(({ scenario }) => scenario);
}

function byName(all: Scenario[], name: string): Scenario {
  const found = all.find((scenario) => scenario.name === name);
  if (found) return found;
  const known = all.map((scenario) => scenario.name).join(', ');
  throw new UsageError(`no scenario ${name}; there are: ${known}`);
}

function withPeers(scenario: Scenario, list: string | undefined): Scenario {
  if (list === undefined) return scenario;
  const wanted = list.split(',');
  const unknown = wanted.find((name) => !scenario.peers.some((peer) => peer.name === name));
  if (unknown !== undefined) throw new UsageError(`${scenario.name} has no peer ${unknown}`);
  const peers = scenario.peers.filter(
    ({ name }) => name === scenario.baseline || wanted.includes(name),
  );
  return { ...scenario, peers };
}

function positive(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`${option} must be a number above 0, not ${text}`);
  return value;
}

main().catch((error: unknown) => {
  const plain = error instanceof UsageError || error instanceof MissingTool;
  console.error(plain ? `[bench] ${error.message}` : error);
  process.exitCode = 1;
});
