/** Reads what `perf script -F ip,sym,dso` prints, perf-script(1). */

/** One function on a stack. */
export interface Frame {
  symbol: string;
  /** The file that it is in, without its folder. */
  object: string;
}

/** The stack of each sample, the function that ran first. */
export function parseStacks(text: string): Frame[][] {
  return text
    .split(/\n\s*\n/)
    .map((sample) => sample.split('\n').flatMap(parseFrame))
    .filter((stack) => stack.length > 0);
}

function parseFrame(line: string): Frame[] {
  const found = /^\s*[0-9a-f]+ (.+) \(([^()]*)\)$/.exec(line);
  if (found === null) return [];
  const object = found[2]!.replace(/^.*\//, '');
  return [{ symbol: found[1]!, object }];
}

/** Equal stacks on one line with their number, the outermost function first: what flame graphs are made of. */
export function fold(stacks: Frame[][]): string {
  const counts = new Map<string, number>();
  for (const stack of stacks) {
    const line = stack.map(({ symbol }) => symbol.replaceAll(';', ':')).reverse();
    const key = line.join(';');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([stack, count]) => `${stack} ${count}\n`).join('');
}
