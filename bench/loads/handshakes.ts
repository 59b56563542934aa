/** Full handshakes by `handshakes.c`, a client on AWS-LC's own libssl; compiled when needed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { benchDir, workDir } from '../runner/paths';
import { PIN, type Borders, type Load, type Phases, type Target } from '../runner/scenario';
import { MissingTool, requireTool } from '../runner/tools';
import { runByLine } from './lines';

const source = join(benchDir, 'loads', 'handshakes.c');
const binary = join(workDir, 'handshakes');

/** Compiles the client against the AWS-LC that the addon was linked with. */
export function compileHandshakes(): void {
  if (existsSync(binary) && statSync(binary).mtimeMs > statSync(source).mtimeMs) return;
  requireTool('cc', 'gcc');
  const { includeDir, libraries } = awsLc();
  mkdirSync(workDir, { recursive: true });
  const flags = ['-O2', '-Wall', '-Wextra', '-pthread', `-I${includeDir}`];
  execFileSync('cc', [...flags, source, ...libraries, '-lstdc++', '-o', binary], {
    stdio: 'inherit',
  });
}

/** Asks the addon's own build where AWS-LC lies. */
function awsLc(): { includeDir: string; libraries: string[] } {
  const cache = join(benchDir, '../packages/native/build/addon/Release/CMakeCache.txt');
  if (!existsSync(cache)) throw new MissingTool('the addon is not built: npm run build:native');
  const text = readFileSync(cache, 'utf8');
  const entry = (name: string) => new RegExp(`^${name}:\\w+=(.+)$`, 'm').exec(text)?.[1];
  const includeDir = entry('AWS_LC_INCLUDE_DIR');
  const libraries = entry('AWS_LC_LIBRARIES');
  if (!includeDir || !libraries) throw new Error(`${cache} does not say where AWS-LC is`);
  return { includeDir, libraries: libraries.split(';') };
}

interface Report {
  units: number;
  seconds: number;
  tickets: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** Keeps `concurrency` handshakes going; the client itself checks that each was a full one. */
export async function handshakes(
  target: Target,
  phases: Phases,
  borders: Borders,
  concurrency: number,
): Promise<Load> {
  const times = [phases.warmUp, phases.measure].map((millis) => String(Math.round(millis)));
  const mode = target.tls ? ['tls', PIN.suite, PIN.group] : ['plain'];
  let report: Report | undefined;
  await runByLine(binary, [String(target.port), String(concurrency), ...times, ...mode], (line) => {
    if (line === 'start') borders.start();
    else if (line === 'stop') borders.stop();
    else report = JSON.parse(line) as Report;
  });
  if (!report) throw new Error('handshakes: no report');
  const { units, seconds, tickets, ...latency } = report;
  return { units, seconds, latency, notes: { ticketsPerHandshake: tickets / units } };
}
