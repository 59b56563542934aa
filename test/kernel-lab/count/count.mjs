// Runs a command where time is the count of instructions; ../README.md tells how.
import { spawnSync } from 'node:child_process';
import { runCommandLine, toMemory, toSeconds, UsageError } from '../command-line.mjs';
import { countInLab } from './boot.mjs';
import { kernelAndTools } from './packages.mjs';

const usage = `usage: npm run lab:count -- [option]... command [argument]...

Runs the command in an emulated machine in which an instruction takes a nanosecond.

  --add PATH         a file or folder to take along; any number of times
  --timeout SECONDS  kill the lab after that long (600)
  --mem SIZE         the guest's memory (3G)
  --cwd FOLDER       where the command is run and looked for (here)
  --kernel-log       show what the kernel says, on stderr
  --check            only find out whether all that the lab needs is there
`;

const definitions = {
  add: { type: 'string', multiple: true, default: [] },
  timeout: { type: 'string', default: '600' },
  mem: { type: 'string', default: '3G' },
  cwd: { type: 'string', default: '' },
  'kernel-log': { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

await runCommandLine({ usage, definitions, main });

async function main(values, [program, ...args]) {
  if (values.check) {
    kernelAndTools();
    return { status: 0 };
  }
  const options = {
    add: values.add,
    mem: toMemory(values.mem),
    timeout: toSeconds(values.timeout),
    kernelLog: values['kernel-log'],
  };
  if (program === undefined) throw new UsageError('no command to run');
  return countInLab([pathOf(program), ...args], options);
}

/** The guest has the programs that are packed for it and no others, so it is looked for here. */
function pathOf(program) {
  const { stdout, status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], {
    encoding: 'utf8',
  });
  if (status === 0 && stdout.startsWith('/')) return stdout.trim();
  throw new UsageError(`there is no program ${program}`);
}
