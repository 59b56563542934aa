import type { Connection } from '@node-aws-lc/native';

type Callback = (error?: Error | null) => void;

/** Called when all that was written before has been sealed; calls back when what was written behind it may follow. */
export type Turn = (connection: Connection, callback: Callback) => void;

interface Chunk {
  chunk: { length: number } | string;
}

/** What stands for each turn in a stream's queue: a chunk without bytes. */
const turns = new WeakMap<object, Turn>();

/** A chunk to write to the stream, in whose place `turn` is called. */
export function markTurn(turn: Turn): Buffer {
  const marker = Buffer.alloc(0);
  turns.set(marker, turn);
  return marker;
}

/** Where the first turn is in what is to be written, and which; undefined where there is none. */
export function findTurn(chunks: Chunk[]): { at: number; turn: Turn } | undefined {
  for (const [at, { chunk }] of chunks.entries()) {
    if (chunk.length !== 0 || typeof chunk === 'string') continue;
    const turn = turns.get(chunk);
    if (turn !== undefined) return { at, turn };
  }
  return undefined;
}
