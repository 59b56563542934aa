/** Handshakes by `handshakes.c`, a client on AWS-LC's own libssl; compiled when needed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { benchDir, workDir } from '../runner/paths';
import type { Borders, Load, Phases, Target } from '../runner/scenario';
import { MissingTool, requireTool } from '../runner/tools';
import { program, type ProgramReport } from './program';

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

interface Report extends ProgramReport {
  tickets: number;
}

/** How they are made. */
export interface HandshakesOptions {
  /** Handshakes under way at once. */
  concurrency: number;
  /** Resume each from the ticket of the one before; default full handshakes only. */
  resume?: boolean;
  /** Handshakes a second; default as many as there can be. */
  rate?: number;
  /** Whether the client leaves the processors to the server where they are too few for both. */
  yielding?: boolean;
}

/** Keeps handshakes going; the client itself checks that each is of the kind asked for. */
export async function handshakes(
  target: Target,
  phases: Phases,
  borders: Borders,
  { concurrency, resume = false, rate = 0, yielding = false }: HandshakesOptions,
): Promise<Load> {
  const times = [phases.warmUp, phases.measure].map((millis) => String(Math.round(millis)));
  const { suite, group } = target.pin;
  const mode = target.tls ? [resume ? 'resume' : 'full', suite, group] : ['plain'];
  const args = [target.port, concurrency, rate].map(String);
  const command = [...(yielding ? ['nice', '-n', '19'] : []), binary, ...args, ...times, ...mode];
  const report = await program<Report>(command[0]!, command.slice(1), borders);
  const { units, seconds, tickets, ...latency } = report;
  return { units, seconds, latency, notes: { ticketsPerHandshake: tickets / units } };
}
