/** The kernel lab (test/kernel-lab/), for tests that need a kernel with TLS. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(__dirname, '..', '..', 'kernel-lab');

/** The script that runs a command in the lab. */
export const labScript = path.join(folder, 'lab.mjs');

/** The script that runs a command where instructions are counted. */
export const countLabScript = path.join(folder, 'count', 'count.mjs');

/** The script that runs all of test/ktls where it is started. */
export const ktlsSuite = path.join(folder, 'suite.mjs');

/**
 * Why the lab cannot be used, or `false` when it can; boots it once a process to find out.
 *
 * @param kernel the lab's `--kernel`
 */
export function labMissing(kernel = 'stable'): string | false {
  if (process.env['NODE_AWS_LC_BUILD'] === 'Sanitize') {
    return "AddressSanitizer's shadow memory is larger than the lab's address space";
  }
  return checked([labScript, '--kernel', kernel, '--check']);
}

/** Why the count lab cannot be used, or `false` when it can. */
export function countLabMissing(): string | false {
  if (process.env['NODE_AWS_LC_BUILD'] === 'Sanitize') {
    return 'what the count lab shows does not depend on how the addon is built';
  }
  return checked([countLabScript, '--check']);
}

/** What was found out, by command line: each costs a boot, which takes long where many run at a time. */
const answers = new Map<string, string | false>();

function checked(command: string[]): string | false {
  const key = command.join(' ');
  const known = answers.get(key);
  if (known !== undefined) return known;
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  const answer = status === 0 ? false : stderr.trim().replace(/^.*\[lab\] /s, '');
  answers.set(key, answer);
  return answer;
}

/** Why this host's own kernel cannot run the kernel-TLS tests, or `false` when it can. */
export function hostKtlsMissing(): string | false {
  const there = existsSync('/proc/net/tls_stat');
  return there ? false : "this host's kernel has no TLS loaded (/proc/net/tls_stat is not there)";
}
