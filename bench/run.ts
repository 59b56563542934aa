/**
 * `npm run bench -- [scenario …] [options]`: measures servers side by side; see `--help`.
 */
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from './runner/certificate';
import { positive, reportFailure, UsageError } from './runner/command-line';
import { measure, type Effort } from './runner/measure';
import { saveResults } from './runner/results';
import type { Ground } from './runner/booted-peer';
import { majorOf, nodePath } from './runner/node';
import { PIN, type Scenario } from './runner/scenario';
import { byName, loadScenarios } from './runner/scenarios';
import { summarize } from './runner/summary';
import { table } from './runner/table';

const HELP = `npm run bench -- [scenario …] [options]

  --rounds N       rounds, each with freshly booted servers (5)
  --duration S     seconds of measured load for each peer in each round (4)
  --quick          2 rounds of 1 second: to see that it works, not to quote
  --node V         run the peers on Node V: 20, 22, 24 or 26 of .node-versions, or a path
  --peers A,B      only these peers of the scenario, beside its baseline
  --help

Scenarios, all of them unless some are named:
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      duration: { type: 'string' },
      node: { type: 'string' },
      quick: { type: 'boolean' },
      peers: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const all = await loadScenarios();
  if (values.help) {
    const lines = all.map(({ name, title }) => `  ${name.padEnd(26)} ${title}\n`);
    process.stdout.write(HELP + lines.join(''));
    return;
  }
  const effort: Effort = {
    rounds: Math.ceil(positive(values.rounds, '--rounds') ?? (values.quick ? 2 : 5)),
    duration: 1000 * (positive(values.duration, '--duration') ?? (values.quick ? 1 : 4)),
    warmUp: values.quick ? 500 : 1500,
  };
  const chosen = positionals.length === 0 ? all : positionals.flatMap((name) => byName(all, name));
  const scenarios = chosen.map((scenario) => withPeers(scenario, values.peers));
  const node = nodePath(values.node);
  const major = majorOf(node);
  for (const scenario of scenarios) scenario.prepare?.();
  const certificates = {
    'ECDSA P-256': await makeCertificate('ECDSA P-256'),
    'RSA-2048': await makeCertificate('RSA-2048'),
  };
  for (const scenario of scenarios) {
    if (major < (scenario.oldestNode ?? 0)) {
      const needed = `needs Node ${scenario.oldestNode}: --node ${scenario.oldestNode}`;
      process.stderr.write(`[bench] ${scenario.name} skipped: ${needed}\n`);
      continue;
    }
    const files = certificates[scenario.pin?.certificate ?? PIN.certificate];
    await runScenario(scenario, effort, { node, files });
  }
}

async function runScenario(scenario: Scenario, effort: Effort, ground: Ground): Promise<void> {
  const begin = Date.now();
  const progress = (line: string) => {
    const seconds = Math.round((Date.now() - begin) / 1000);
    process.stderr.write(`[bench] ${String(seconds).padStart(4)} s  ${line}\n`);
  };
  const summaries = summarize(scenario, await measure(scenario, effort, ground, progress));
  const path = saveResults(scenario, effort, ground, summaries);
  process.stdout.write(`\n${table(scenario, summaries)}\n${relative(process.cwd(), path)}\n\n`);
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

main().catch(reportFailure);
