/**
 * Child processes that cannot outlive the test.
 *
 * Each has a time limit, is killed when its test ends, and is killed when this process exits for
 * whatever reason, so that a failing test leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { eventually } from './wait.js';

/** How a child is started. */
export interface ChildOptions {
  /** Environment on top of this process' own; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Text to write to its standard input, which is then ended. Absent: the input stays open. */
  input?: string | Buffer;
  /** Time limit in milliseconds; default 30 000. */
  timeout?: number;
}

/** How a child ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A running child. */
export class Child {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  private readonly process: ChildProcess;

  constructor(t: Test, command: string, args: string[], options: ChildOptions = {}) {
    const child = spawn(command, args, {
      env: childEnvironment(command, options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeout ?? 30_000,
      killSignal: 'SIGKILL',
    });
    this.process = child;
    running.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // A child that ends before it has read its input is no error of the test's.
    child.stdin.on('error', () => {});
    if (options.input !== undefined) child.stdin.end(options.input);
    this.ended = this.waitForEnd();
    t.teardown(() => this.kill());
  }

  /** The child's process id. */
  get pid(): number {
    return this.process.pid!;
  }

  /** Resolves when the output (both streams together) matches. */
  async saw(pattern: RegExp, ms?: number): Promise<RegExpMatchArray> {
    let gone = false;
    void this.ended.then(() => (gone = true));
    await eventually(`${pattern} in a child's output`, () => gone || this.matches(pattern), ms);
    const match = this.output.match(pattern);
    if (!match) throw new Error(`a child ended without ${pattern}:\n${this.output}`);
    return match;
  }

  /** Writes to the child's standard input. */
  write(text: string): void {
    this.process.stdin?.write(text);
  }

  /** Ends the child's standard input. */
  endInput(): void {
    this.process.stdin?.end();
  }

  /** Ends the child at once and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ended> {
    this.process.kill(signal);
    return this.ended;
  }

  /** Everything that the child printed so far. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  private matches(pattern: RegExp): boolean {
    return pattern.test(this.output);
  }

  private async waitForEnd(): Promise<Ended> {
    try {
      const [code, signal] = (await once(this.process, 'close')) as [
        number | null,
        NodeJS.Signals | null,
      ];
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    } finally {
      running.delete(this.process);
    }
  }
}

/** Runs a command to its end. */
export function run(
  t: Test,
  command: string,
  args: string[],
  options: ChildOptions = {},
): Promise<Ended> {
  return new Child(t, command, args, { input: '', ...options }).ended;
}

/** Runs one of the tests' own compiled programs in a Node process of its own. */
export function runNode(t: Test, script: string, args: string[] = [], options?: ChildOptions) {
  return run(t, process.execPath, [script, ...args], options);
}

/**
 * A sanitized addon needs its runtime preloaded in every Node process; in other programs the same
 * preload would report their leaks as ours.
 */
function childEnvironment(command: string, extra: ChildOptions['env']): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, ...extra };
  if (command !== process.execPath) delete environment['LD_PRELOAD'];
  return environment;
}
