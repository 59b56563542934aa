import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './command-line';
import { compiledDir } from './paths';
import type { Scenario } from './scenario';

/** A scenario, and the name of the file that it is in. */
export interface Listed extends Scenario {
  file: string;
}

/** Every file in `scenarios/` has some. */
export async function loadScenarios(): Promise<Listed[]> {
  const dir = join(compiledDir, 'scenarios');
  const names = readdirSync(dir).filter((name) => name.endsWith('.js'));
  const lists = names.map(async (name) => {
    const module = (await import(join(dir, name))) as { scenarios: Scenario[] };
    return module.scenarios.map((scenario) => ({ ...scenario, file: name.slice(0, -3) }));
  });
  return (await Promise.all(lists)).flat();
}

/** The scenario of that name, or all of the file of that name. */
export function byName(all: Listed[], name: string): Scenario[] {
  const found = all.filter((scenario) => scenario.name === name || scenario.file === name);
  if (found.length > 0) return found;
  const known = all.map((scenario) => scenario.name).join(', ');
  throw new UsageError(`no scenario ${name}; there are: ${known}`);
}
