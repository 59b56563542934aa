import type { TlsStream } from '@node-aws-lc/core';

/** What `app.tls.stats()` answers: counted since the server was made, unless said otherwise. */
export interface TlsStats {
  /** TLS connections open now, their handshake done. */
  connections: number;
  /** Handshakes that succeeded. */
  handshakes: number;
  /** Handshakes that failed, by error code. */
  failures: Record<string, number>;
  /** Connections whose records the kernel writes (`tx`) and reads (`rx`); why not, for the others. */
  ktls: { tx: number; rx: number; refused: Record<string, number> };
  /** Bytes as `bytesRead` and `bytesWritten` of those connections count them; of open ones too. */
  bytes: { in: number; out: number };
}

/**
 * Keeps the figures of one server. Bytes and kernel TLS are read from a connection while it is open
 * (a transfer counts while it runs, kernel TLS may begin late) and booked when it closes.
 */
export class Statistics {
  readonly #open = new Set<TlsStream>();
  readonly #failures: Record<string, number> = {};
  readonly #closed = newTotals();
  #handshakes = 0;

  /** Books a finished handshake. */
  connected(stream: TlsStream): void {
    this.#handshakes++;
    this.#open.add(stream);
    stream.once('close', () => {
      this.#open.delete(stream);
      addTo(this.#closed, stream);
    });
  }

  /** Books a handshake that failed with `code`. */
  failed(code: string): void {
    count(this.#failures, code);
  }

  /** The figures of this moment, a copy. */
  snapshot(): TlsStats {
    const { ktls, bytes } = this.#closed;
    const totals: Totals = {
      ktls: { ...ktls, refused: { ...ktls.refused } },
      bytes: { ...bytes },
    };
    for (const stream of this.#open) addTo(totals, stream);
    return {
      connections: this.#open.size,
      handshakes: this.#handshakes,
      failures: { ...this.#failures },
      ...totals,
    };
  }
}

type Totals = Pick<TlsStats, 'ktls' | 'bytes'>;

function newTotals(): Totals {
  return { ktls: { tx: 0, rx: 0, refused: {} }, bytes: { in: 0, out: 0 } };
}

function addTo({ ktls, bytes }: Totals, stream: TlsStream): void {
  const { tx, rx, reason } = stream.ktls;
  if (tx) ktls.tx++;
  if (rx) ktls.rx++;
  if (reason !== undefined) count(ktls.refused, reason);
  bytes.in += stream.bytesRead;
  bytes.out += stream.bytesWritten;
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
