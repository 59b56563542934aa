// Runs a command on a real Linux kernel with kernel TLS; README.md beside this file tells how.
import { runInLab } from './boot.mjs';
import { runCommandLine, toMemory, toSeconds, UsageError } from './command-line.mjs';
import { tlsModules } from './modules.mjs';
import { kernelNames } from './packages.mjs';
import { LabUnavailable } from './unavailable.mjs';

const usage = `usage: npm run lab -- [option]... [command [argument]...]

Runs the command in the kernel lab, a shell when there is none.

  --kernel NAME      stable: this Debian's (default); rekey: Debian unstable's, which changes keys
  --timeout SECONDS  kill the lab after that long (600)
  --mem SIZE         the guest's memory (2G)
  --module NAME      load this kernel module too; any number of times
  --no-tls           a kernel without its TLS module
  --cwd FOLDER       where the command is run and looked for (here)
  --kernel-log       show what the kernel says, on stderr
  --check            only find out whether the lab can run here
`;

const definitions = {
  kernel: { type: 'string', default: 'stable' },
  timeout: { type: 'string', default: '600' },
  mem: { type: 'string', default: '2G' },
  module: { type: 'string', multiple: true, default: [] },
  'no-tls': { type: 'boolean', default: false },
  cwd: { type: 'string', default: '' },
  'kernel-log': { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

await runCommandLine({ usage, definitions, main });

async function main(values, command) {
  if (!kernelNames.includes(values.kernel)) {
    throw new UsageError(`--kernel is one of ${kernelNames.join(', ')}`);
  }
  const options = {
    kernel: values.kernel,
    modules: [...(values['no-tls'] ? [] : tlsModules), ...values.module],
    mem: toMemory(values.mem),
    timeout: toSeconds(values.timeout),
    kernelLog: values['kernel-log'],
  };
  if (values.check) return check(options);
  const shell = [process.env.SHELL ?? '/bin/sh'];
  return runInLab(command.length > 0 ? command : shell, options);
}

/** Sandboxes that allow no ptrace, for one, cannot be told but by trying. */
async function check(options) {
  const { status, log } = await runInLab(['test', '-e', '/proc/net/tls_stat'], options);
  if (status === 0) return { status };
  // Unstable is another every day, and what ails it no fault of this machine.
  const what =
    options.kernel === 'rekey'
      ? 'the kernel of Debian unstable does not run here'
      : 'needs a host on which the kernel of user-mode-linux (Debian package user-mode-linux) runs';
  throw new LabUnavailable(`${what}; it said: ${log.trim().split('\n').at(-1)}`);
}
