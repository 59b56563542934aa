import type { TlsStream } from '../stream/tls-stream';

/** The figures of a server: counted since it was made, unless said otherwise. */
export interface TlsStats {
  /** TLS connections open now, their handshake done. */
  connections: number;
  /** Handshakes under way now. */
  pending: number;
  /** Handshakes that succeeded. */
  handshakes: number;
  /** The same by what they agreed on. */
  negotiated: {
    /** `TLSv1.3`, … */
    protocol: Record<string, number>;
    /** IANA names. */
    cipher: Record<string, number>;
    /** `X25519MLKEM768`, …; `none` where keys were not exchanged over a group. */
    group: Record<string, number>;
    /** `h2`, …; `none` where the client offered nothing. */
    alpn: Record<string, number>;
    /** Handshakes that resumed an earlier session. */
    resumed: number;
  };
  /** Handshakes that failed, by error code. */
  failures: Record<string, number>;
  /** Connections whose records the kernel writes (`tx`) and reads (`rx`); why not, for the others. */
  ktls: { tx: number; rx: number; refused: Record<string, number> };
  /** Bytes as `bytesRead` and `bytesWritten` of those connections count them; of open ones too. */
  bytes: { in: number; out: number };
}

type Negotiated = TlsStats['negotiated'];
type Totals = Pick<TlsStats, 'ktls' | 'bytes'>;

/**
 * Keeps the figures of one server. Bytes and kernel TLS are read from a connection while it is open
 * (a transfer counts while it runs, kernel TLS may begin late) and booked when it closes.
 */
export class Statistics {
  readonly #open = new Set<TlsStream>();
  readonly #failures: Record<string, number> = {};
  readonly #negotiated: Negotiated = { protocol: {}, cipher: {}, group: {}, alpn: {}, resumed: 0 };
  readonly #closed: Totals = { ktls: { tx: 0, rx: 0, refused: {} }, bytes: { in: 0, out: 0 } };
  #handshakes = 0;

  /** Books a finished handshake. */
  connected(stream: TlsStream): void {
    this.#handshakes++;
    const { protocol, cipher, group, alpn, resumed } = stream.negotiated;
    count(this.#negotiated.protocol, protocol);
    count(this.#negotiated.cipher, cipher);
    count(this.#negotiated.group, group || 'none');
    count(this.#negotiated.alpn, alpn ?? 'none');
    if (resumed) this.#negotiated.resumed++;
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
  snapshot(pending: number): TlsStats {
    const { ktls, bytes } = structuredClone(this.#closed);
    for (const stream of this.#open) addTo({ ktls, bytes }, stream);
    return {
      connections: this.#open.size,
      pending,
      handshakes: this.#handshakes,
      negotiated: structuredClone(this.#negotiated),
      failures: { ...this.#failures },
      ktls,
      bytes,
    };
  }
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
