/** What the two processes of a measurement say to each other over IPC. */
import type { Row } from './rows';

/** The server's arguments, as JSON on its command line. */
export interface ServerTask {
  row: Row;
  /** Bytes of a transfer. */
  units: number;
  key: string;
  cert: string;
}

/** To the server: count. */
export type Question = 'count';

/** From the server: where it listens; then, for each question, how it stands. */
export type Answer =
  | { port: number }
  | {
      /** Microseconds of CPU so far, each a thousand instructions. */
      cpu: { user: number; system: number };
      /** What the connection's record layer is. */
      ktls: { tx: boolean; rx: boolean; reason?: string };
    };
