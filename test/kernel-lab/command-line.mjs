/** What the labs' command lines have in common: options, then a command; and their exit statuses. */
import { parseArgs } from 'node:util';
import { LabUnavailable } from './unavailable.mjs';

const misused = 2;

/** Exit status when the lab cannot run here: what automake takes for a skipped test. */
const unavailable = 77;

/** Exit status when the guest went down before its command ended. */
const crashed = 125;

/**
 * Runs a lab as its command line wants it, and sets the exit status of this process.
 *
 * @param definitions the options as `parseArgs` takes them, `help` and `cwd` among them
 * @param main called with the options' values and the command; returns the command's exit status
 *   (`status`, undefined when there is none) and the last of the guest's console (`log`)
 */
export async function runCommandLine({ usage, definitions, main }) {
  try {
    const { values, command } = parse(process.argv.slice(2), definitions);
    if (values.help) {
      console.log(usage);
      return;
    }
    if (values.cwd !== '') enter(values.cwd);
    const { status, log } = await main(values, command);
    if (status === undefined) {
      console.error(
        `[lab] the guest went down before its command ended; its console's last:\n${log}`,
      );
    }
    process.exitCode = status ?? crashed;
  } catch (error) {
    process.exitCode = failure(error, usage);
  }
}

/** A command line that cannot be meant. */
export class UsageError extends Error {}

/** Seconds of an option. */
export function toSeconds(text) {
  // Node's timers keep no longer delay.
  const most = Math.floor((2 ** 31 - 1) / 1000);
  if (/^\d+$/.test(text) && Number(text) > 0 && Number(text) <= most) return Number(text);
  throw new UsageError(`--timeout: expected seconds, 1 to ${most}, got '${text}'`);
}

/** A size of memory, as Linux takes it. */
export function toMemory(text) {
  if (/^[1-9]\d*[KMG]$/i.test(text)) return text;
  throw new UsageError(`--mem: expected a size such as 512M or 2G, got '${text}'`);
}

/** npm runs its scripts in the package's folder and not in the caller's. */
function enter(folder) {
  try {
    process.chdir(folder);
  } catch (error) {
    throw new UsageError(`--cwd: ${error.message}`);
  }
}

/** Says what went wrong, and with which exit status; what is not the user's to mend is thrown on. */
function failure(error, usage) {
  if (error instanceof LabUnavailable) {
    console.error(`[lab] ${error.message}`);
    return unavailable;
  }
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  return misused;
}

/** The lab's options end where the command begins; what follows is the command's own. */
function parse(args, definitions) {
  const { tokens } = parseArgs({ args, options: definitions, strict: false, tokens: true });
  const start = tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length;
  const options = args.slice(0, start).filter((argument) => argument !== '--');
  try {
    const { values } = parseArgs({ args: options, options: definitions });
    return { values, command: args.slice(start) };
  } catch (error) {
    throw new UsageError(error.message);
  }
}
