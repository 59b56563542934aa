/** The kernel's own count of what it does for TLS, `/proc/net/tls_stat`. */
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { eventually } from '../helpers/wait.js';

/** The counters that the tests look at. */
export type Counter =
  | 'TlsCurrTxSw'
  | 'TlsCurrRxSw'
  | 'TlsTxSw'
  | 'TlsRxSw'
  | 'TlsDecryptError'
  | 'TlsRxNoPadViolation'
  // Since Linux 6.14.
  | 'TlsRxRekeyOk'
  | 'TlsRxRekeyError'
  | 'TlsTxRekeyOk'
  | 'TlsTxRekeyError';

/** All counters by name. */
export function statistics(): Record<Counter, number> {
  const lines = readFileSync('/proc/net/tls_stat', 'utf8').trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [name, count] = line.trim().split(/\s+/);
      return [name, Number(count)];
    }),
  ) as Record<Counter, number>;
}

/** Counts from here on: `moved()` is by how much each counter has moved since. */
export function counting(): { moved(): Record<Counter, number> } {
  const before = statistics();
  return {
    moved() {
      const now = Object.entries(statistics()) as [Counter, number][];
      return Object.fromEntries(now.map(([name, count]) => [name, count - before[name]])) as Record<
        Counter,
        number
      >;
    },
  };
}

/**
 * Runs `body` and checks that it made the kernel take over as many directions as said, and decrypt
 * without an error.
 */
export async function expectInstalls(
  t: Test,
  { tx, rx }: { tx: number; rx: number },
  body: () => Promise<void>,
): Promise<void> {
  const counter = counting();
  await body();
  const { TlsTxSw, TlsRxSw, TlsDecryptError } = counter.moved();
  t.same({ TlsTxSw, TlsRxSw, TlsDecryptError }, { TlsTxSw: tx, TlsRxSw: rx, TlsDecryptError: 0 });
}

/** Resolves when the kernel does TLS on no connection at all. */
export async function noneLeft(): Promise<void> {
  await eventually('the end of every connection in the kernel', () => {
    const { TlsCurrTxSw, TlsCurrRxSw } = statistics();
    return TlsCurrTxSw === 0 && TlsCurrRxSw === 0;
  });
}
