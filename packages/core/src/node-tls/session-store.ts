import type net from 'node:net';
import type { Answerers } from '../stream/questions';

const FIND_SESSION = 5;
const STORE_SESSION = 6;

/** Whether somebody keeps the sessions of TLS 1.2 that a server finds by their ids (RFC 5246, section 7.3). */
export function storesSessions(server: net.Server | undefined): boolean {
  if (server === undefined) return false;
  return server.listenerCount('newSession') > 0 || server.listenerCount('resumeSession') > 0;
}

/** Asks the listeners of 'newSession' and 'resumeSession', which answer when they can: the handshake waits. */
export function sessionAnswerers(server: net.Server): Answerers {
  return {
    [FIND_SESSION]: ({ data }) =>
      new Promise<Uint8Array | undefined>((resolve, reject) => {
        const done = (error?: Error | null, session?: Uint8Array | null): void => {
          if (error) reject(error);
          else resolve(session ?? undefined);
        };
        if (!server.emit('resumeSession', data, done)) resolve(undefined);
      }),
    [STORE_SESSION]: ({ detail, data }) =>
      new Promise<void>((resolve) => {
        const done = (): void => resolve();
        const [id, session] = [data.subarray(0, detail), data.subarray(detail)];
        if (!server.emit('newSession', id, session, done)) resolve();
      }),
  };
}
