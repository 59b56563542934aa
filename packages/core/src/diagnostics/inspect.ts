import { inspect, type InspectOptions } from 'node:util';

/**
 * What `util.inspect` shows of an object that holds secrets, or more than anybody wants to read: `Name { … }` of the
 * fields that matter. Those that are undefined are left out.
 */
export function show(
  object: object,
  depth: number,
  options: InspectOptions,
  fields: Record<string, unknown>,
): string {
  const { name } = object.constructor;
  if (depth < 0) return `[${name}]`;
  const shown = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
  const deeper = typeof options.depth === 'number' ? options.depth - 1 : options.depth;
  return `${name} ${inspect(shown, { ...options, depth: deeper ?? null })}`;
}
