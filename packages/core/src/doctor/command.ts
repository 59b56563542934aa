import { parseArgs } from 'node:util';
import type { Report, Verdict } from './report';

const HELP = `usage: npx node-aws-lc doctor [--json]

Tells what this host does for TLS in the kernel, and what would make it do more. It tries a
connection over loopback, which may make the kernel load its tls module.

  --json  the report as JSON
  --help  this

Exit status:
  0  the kernel takes every cipher in both directions
  1  TLS works in userspace, the kernel does none of it
  2  the command line is wrong
  3  the kernel does a part: one direction, or some of the ciphers
  4  the library does not work here: the addon cannot be loaded, or this is not Linux
  5  the report cannot be written
`;

const STATUS: Record<Verdict, number> = { kernel: 0, userspace: 1, part: 3 };
const MISUSED = 2;
const BROKEN = 4;

/** Where a command writes to. */
export interface Output {
  stdout: (text: string) => void;
  stderr: (text: string) => void;
}

class UsageError extends Error {}

/**
 * Runs `node-aws-lc` with the arguments after the program's name; returns its exit status.
 */
export async function nodeAwsLc(args: string[], { stdout, stderr }: Output): Promise<number> {
  let options: { json: boolean; help: boolean };
  try {
    options = parse(args);
  } catch (error) {
    stderr(`${(error as Error).message}\n\n${HELP}`);
    return MISUSED;
  }
  if (options.help) {
    stdout(HELP);
    return 0;
  }
  let found: Report;
  try {
    found = await examine();
  } catch (error) {
    const { message, code = 'ERR_AWS_LC_ADDON' } = error as NodeJS.ErrnoException;
    stdout(options.json ? toJson({ verdict: 'broken', error: { code, message } }) : '');
    stderr(`TLS does not work here: ${message}\n`);
    return BROKEN;
  }
  const { toText } = await import('./text.js');
  stdout(options.json ? toJson(found) : toText(found));
  return STATUS[found.verdict];
}

function parse(args: string[]): { json: boolean; help: boolean } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, ...more] = positionals;
  if (values.help) return values;
  if (command === undefined) throw new UsageError('what to do is missing');
  if (command !== 'doctor') throw new UsageError(`there is no command ${command}`);
  if (more.length > 0) throw new UsageError(`doctor takes no argument ${more.join(' ')}`);
  return values;
}

/** Loads the rest only now: without a working addon even that fails, and is to be told. */
async function examine(): Promise<Report> {
  if (process.platform !== 'linux') {
    throw new Error(`only Linux is supported, this is ${process.platform}`);
  }
  const [{ hostFacts }, { report }] = await Promise.all([
    import('./host-facts.js'),
    import('./report.js'),
  ]);
  return report(hostFacts());
}

function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
