import { inspect } from 'node:util';

/**
 * Errors of Node's own kinds, for functions that take the place of Node's: the same class, code and wording, because
 * whoever handles them matches on those.
 */
export function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}

/** ERR_INVALID_ARG_TYPE; `expected` is the rest of "must be". */
export function invalidArgType(name: string, expected: string, actual: unknown): TypeError {
  const kind = name.includes('.') ? 'property' : 'argument';
  const message = `The "${name}" ${kind} must be ${expected}. Received ${describe(actual)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

/** ERR_INVALID_ARG_VALUE. */
export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): TypeError {
  const kind = name.includes('.') ? 'property' : 'argument';
  const message = `The ${kind} '${name}' ${reason}. Received ${shorten(inspect(value), 128)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** ERR_OUT_OF_RANGE. */
export function outOfRange(what: string, range: string, value: unknown): RangeError {
  const message = `${what} It must be ${range}. Received ${inspect(value)}`;
  return withCode(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const { constructor } = value as { constructor?: { name?: string } };
    return constructor?.name ? `an instance of ${constructor.name}` : inspect(value, { depth: -1 });
  }
  const text = typeof value === 'string' ? inspect(shorten(value, 25)) : inspect(value);
  return `type ${typeof value} (${text})`;
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function requireObject(value: unknown, name: string): asserts value is object {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalidArgType(name, 'of type object', value);
  }
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function requireString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function requireFunction(value: unknown, name: string): asserts value is () => unknown {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function requireBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function requireNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function requireBuffer(
  value: unknown,
  name = 'buffer',
): asserts value is NodeJS.ArrayBufferView {
  if (!ArrayBuffer.isView(value)) {
    throw invalidArgType(name, 'an instance of Buffer, TypedArray, or DataView', value);
  }
}

/** @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE */
export function requireInteger(
  value: unknown,
  name: string,
  min: number,
  max: number,
): asserts value is number {
  requireNumber(value, name);
  const what = `The value of "${name}" is out of range.`;
  if (!Number.isInteger(value)) throw outOfRange(what, 'an integer', value);
  if (value < min || value > max) throw outOfRange(what, `>= ${min} && <= ${max}`, value);
}
