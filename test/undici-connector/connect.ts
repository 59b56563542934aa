/** The connector called as undici calls it, without undici around it. */
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { Origin } from './origin.js';

/** Every call back that one connect call made. */
export interface Outcome {
  error: NodeJS.ErrnoException | null;
  socket: Socket | null;
  /** How often the callback was called; more than 1 shows only after a while. */
  calls: number;
}

/** The arguments that undici gives for the first request to `origin`. */
export function callFor(
  origin: Pick<Origin, 'port'>,
  overrides: Partial<buildConnector.Options> = {},
): buildConnector.Options {
  return {
    host: `localhost:${origin.port}`,
    hostname: 'localhost',
    protocol: 'https:',
    port: String(origin.port),
    ...overrides,
  };
}

/** Calls `connector` and resolves with its first call back, whose count goes on. */
export function connect(
  connector: buildConnector.connector,
  call: buildConnector.Options,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = { error: null, socket: null, calls: 0 };
    connector(call, (error: Error | null, socket: Socket | null) => {
      outcome.calls++;
      if (outcome.calls === 1) {
        Object.assign(outcome, { error, socket });
        resolve(outcome);
      }
    });
  });
}
