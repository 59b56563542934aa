/**
 * `npm run bench:profile -- <scenario> [options]`: where the CPU time of one server goes; see `--help`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { layerOf, shares } from './profile/layers';
import { fold, parseStacks } from './profile/stacks';
import { BootedPeer } from './runner/booted-peer';
import { makeCertificate } from './runner/certificate';
import { positive, reportFailure, UsageError } from './runner/command-line';
import { nodePath } from './runner/node';
import { resultsDir, workDir } from './runner/paths';
import { PIN, type Peer, type Scenario } from './runner/scenario';
import { byName, loadScenarios } from './runner/scenarios';
import { requireTool } from './runner/tools';

const HELP = `npm run bench:profile -- <scenario> [options]

Samples one server of a scenario (npm run bench -- --help names them) under load with perf(1), and
says in whose code it was and in which functions. The stacks are kept, as flame graphs are made of
them; with inferno-flamegraph (cargo install inferno) a flame graph, too.

  --peer NAME      which server (ours)
  --node V         run it on Node V: 20, 22, 24 or 26 of .node-versions, or a path
  --seconds S      seconds of load that are sampled (8)
  --help
`;

/** Samples a second of CPU time: a prime, so that they keep step with nothing. */
const FREQUENCY = 1999;
const FUNCTIONS = 15;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: 'string', default: 'ours' },
      node: { type: 'string' },
      seconds: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const all = await loadScenarios();
  const [scenario, ...others] = positionals.flatMap((name) => byName(all, name));
  if (scenario === undefined || others.length > 0) throw new UsageError('name one scenario');
  const peer = scenario.peers.find(({ name }) => name === values.peer);
  if (peer === undefined) throw new UsageError(`${scenario.name} has no peer ${values.peer}`);
  const seconds = positive(values.seconds, '--seconds') ?? 8;
  requireTool('perf', 'linux-perf');
  scenario.prepare?.();
  report(scenario, peer, await sample(scenario, peer, nodePath(values.node), 1000 * seconds));
}

/** Samples the peer under the scenario's load; answers what `perf script` prints. */
async function sample(
  scenario: Scenario,
  peer: Peer,
  node: string,
  measure: number,
): Promise<string> {
  // Names of JavaScript functions, in a file that perf knows to look for. V8 writes a log beside it.
  const log = ['--no-logfile-per-isolate', `--logfile=${join(workDir, 'v8.log')}`];
  const execArgv = [...(scenario.execArgv ?? []), '--perf-basic-prof', ...log];
  const files = await makeCertificate(scenario.pin?.certificate ?? PIN.certificate);
  mkdirSync(workDir, { recursive: true });
  const server = await BootedPeer.boot({ ...scenario, execArgv }, peer, { node, files });
  const data = join(workDir, 'perf.data');
  let recorded: Promise<unknown> | undefined;
  try {
    await scenario.load(
      server.target,
      { warmUp: 2000, measure },
      {
        start: () => {
          const args = ['record', '-q', '-e', 'cpu-clock', '-F', String(FREQUENCY), '-g'];
          const target = ['-o', data, '-p', String(server.target.pid)];
          const perf = spawn('perf', [...args, ...target], {
            stdio: ['ignore', 'ignore', 'inherit'],
          });
          recorded = once(perf, 'exit');
          setTimeout(() => perf.kill('SIGINT'), measure);
        },
        stop: () => {},
      },
    );
    await recorded;
    return execFileSync('perf', ['script', '-i', data, '-F', 'ip,sym,dso'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } finally {
    await server.stop();
    rmSync(`/tmp/perf-${server.target.pid}.map`, { force: true });
  }
}

function report(scenario: Scenario, peer: Peer, samples: string): void {
  const stacks = parseStacks(samples);
  if (stacks.length === 0) throw new Error('perf has no samples: may it record here?');
  const table = (title: string, rows: [string, number][]) => {
    const lines = rows.map(([name, share]) => `${(100 * share).toFixed(1).padStart(6)} %  ${name}`);
    process.stdout.write(`${title}\n${lines.join('\n')}\n\n`);
  };
  table(`${scenario.name}, ${peer.name}: ${stacks.length} samples`, shares(stacks, layerOf));
  table('', shares(stacks, ([frame]) => frame!.symbol).slice(0, FUNCTIONS));
  const path = join(resultsDir, `profile-${scenario.name}-${peer.name.replaceAll(/\W+/g, '-')}`);
  mkdirSync(resultsDir, { recursive: true });
  writeFileSync(`${path}.folded`, fold(stacks));
  console.log(relative(process.cwd(), `${path}.folded`));
  const title = `${scenario.name}, ${peer.name}`;
  const graph = spawnSync(
    'inferno-flamegraph',
    ['--title', title, '--minwidth', '0.5', `${path}.folded`],
    {
      maxBuffer: 2 ** 30,
    },
  );
  if (graph.status !== 0) return;
  writeFileSync(`${path}.svg`, graph.stdout);
  console.log(relative(process.cwd(), `${path}.svg`));
}

main().catch(reportFailure);
