// Runs a command on a real Linux kernel with kernel TLS; README.md beside this file tells how.
import { parseArgs } from 'node:util';
import { runInLab } from './boot.mjs';
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
  --kernel-log       show what the kernel says, on stderr
  --check            only find out whether the lab can run here
`;

/** Exit status when the lab cannot run here: what automake takes for a skipped test. */
const unavailable = 77;

/** Exit status when the guest went down before its command ended. */
const crashed = 125;

const definitions = {
  kernel: { type: 'string', default: 'stable' },
  timeout: { type: 'string', default: '600' },
  mem: { type: 'string', default: '2G' },
  module: { type: 'string', multiple: true, default: [] },
  'no-tls': { type: 'boolean', default: false },
  'kernel-log': { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const { values, command } = parse(process.argv.slice(2));
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof LabUnavailable)) throw error;
  console.error(`[lab] ${error.message}`);
  process.exitCode = unavailable;
}

async function main() {
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const options = {
    kernel: values.kernel,
    modules: [...(values['no-tls'] ? [] : tlsModules), ...values.module],
    mem: values.mem,
    timeout: Number(values.timeout),
    kernelLog: values['kernel-log'],
  };
  if (values.check) return check(options);
  const shell = [process.env.SHELL ?? '/bin/sh'];
  const { status, log } = await runInLab(command.length > 0 ? command : shell, options);
  if (status !== undefined) return status;
  console.error(`[lab] the guest went down before its command ended; its console's last:\n${log}`);
  return crashed;
}

/** Sandboxes that allow no ptrace, for one, cannot be told but by trying. */
async function check(options) {
  const { status, log } = await runInLab(['test', '-e', '/proc/net/tls_stat'], options);
  if (status === 0) return 0;
  // Unstable is another every day, and what ails it no fault of this machine.
  const what =
    options.kernel === 'rekey'
      ? 'the kernel of Debian unstable does not run here'
      : 'needs a host on which the kernel of user-mode-linux (Debian package user-mode-linux) runs';
  throw new LabUnavailable(`${what}; it said: ${log.trim().split('\n').at(-1)}`);
}

/** The lab's options end where the command begins; what follows is the command's own. */
function parse(args) {
  const { tokens } = parseArgs({ args, options: definitions, strict: false, tokens: true });
  const start = tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length;
  try {
    const options = args.slice(0, start).filter((argument) => argument !== '--');
    const { values } = parseArgs({ args: options, options: definitions });
    if (!kernelNames.includes(values.kernel)) {
      throw new Error(`--kernel is one of ${kernelNames.join(', ')}`);
    }
    return { values, command: args.slice(start) };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
