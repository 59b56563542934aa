/** Waiting that never waits for ever: each way to wait here ends in an error that says for what. */
import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a test waits for a thing that should happen at once, in milliseconds. */
export const patience = 10_000;

/** Resolves as `promise` does, or rejects after `ms` naming what was awaited. */
export async function within<T>(what: string, promise: Promise<T>, ms = patience): Promise<T> {
  const alarm = new AbortController();
  const late = sleep(ms, undefined, { signal: alarm.signal }).then(() => {
    throw new Error(`waited ${ms} ms for ${what}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    alarm.abort();
  }
}

/**
 * Resolves with the arguments of the next `name` event.
 *
 * An 'error' in the meantime does not reject: tests that expect one wait for it by name.
 */
export function nextEvent(emitter: EventEmitter, name: string, ms = patience): Promise<unknown[]> {
  const happened = new Promise<unknown[]>((resolve) => {
    emitter.once(name, (...args: unknown[]) => resolve(args));
  });
  return within(`'${name}'`, happened, ms);
}

/** Resolves with the error of the next 'error' event. */
export async function nextError(emitter: EventEmitter, ms = patience): Promise<CodedError> {
  const [error] = await nextEvent(emitter, 'error', ms);
  return error as CodedError;
}

/** Resolves when `check` holds; asks again every few milliseconds. */
export async function eventually(what: string, check: () => boolean, ms = patience): Promise<void> {
  const end = Date.now() + ms;
  while (!check()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(5);
  }
}

/** An error with what this project's errors carry. */
export interface CodedError extends Error {
  code?: string;
  side?: 'client' | 'server';
  alert?: { direction: 'sent' | 'received'; level: string; code: number; name: string };
}

/** The error that `promise` rejects with; resolving is a failure. */
export async function rejection(promise: Promise<unknown>, ms = patience): Promise<CodedError> {
  const outcome = promise.then(
    () => undefined,
    (error: CodedError) => error,
  );
  const error = await within('a rejection', outcome, ms);
  if (!error) throw new Error('resolved where a rejection was expected');
  return error;
}

/** The error that `action` throws; returning is a failure. */
export function thrown(action: () => unknown): CodedError {
  try {
    action();
  } catch (error) {
    return error as CodedError;
  }
  throw new Error('returned where a throw was expected');
}
