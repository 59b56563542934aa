import type { Connection, QuestionKind } from '@node-aws-lc/native';
import { ALERT_INTERNAL_ERROR } from '../errors';

/** What a handshake waits for; `detail`, `name` and `data` are what the kind says they are. */
export interface Question {
  readonly detail: number;
  readonly name: string;
  readonly data: Buffer;
}

/** What whoever answers may use. */
export interface Asked {
  /** The connection, to be configured before the answer lets the handshake go on. */
  readonly connection: Connection;
  /** Fires when the handshake is over, however it ended: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Has further questions of this handshake answered by others. */
  use(answerers: Answerers): void;
}

type MaybePromise<T> = T | Promise<T>;

/**
 * Answers one kind of question, at once or with a promise, with bytes where the kind calls for some. Throwing fails the
 * handshake with that error and the alert internal_error, or that of a {@link Refusal}. An answer that comes too late is
 * ignored.
 */

export type Answerer = (question: Question, asked: Asked) => MaybePromise<Uint8Array | void>;

/** Who answers what. */
export type Answerers = { readonly [Kind in QuestionKind]?: Answerer | undefined };

/** Thrown by an {@link Answerer}: fails the handshake with `cause` and tells the peer with that alert. */
export class Refusal extends Error {
  constructor(
    readonly alert: number,
    override readonly cause: Error,
  ) {
    super(cause.message);
  }
}

const GO_ON = -1;

/** The questions of one connection's handshake, which waits in native code for each answer. */
export class Questions implements Asked {
  readonly connection: Connection;
  #answerers: Answerers;
  #failure: Error | undefined;
  #over: AbortController | undefined;
  #isOver = false;

  constructor(connection: Connection, answerers: Answerers) {
    this.connection = connection;
    this.#answerers = answerers;
  }

  /** What made a handshake fail that an answerer refused. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get signal(): AbortSignal {
    if (this.#over === undefined) {
      this.#over = new AbortController();
      if (this.#isOver) this.#over.abort();
    }
    return this.#over.signal;
  }

  use(answerers: Answerers): void {
    this.#answerers = { ...this.#answerers, ...answerers };
  }

  /** The native connection asks. */
  ask(kind: QuestionKind, number: number, question: Question): void {
    let answer: ReturnType<Answerer>;
    try {
      answer = this.#answerers[kind]?.(question, this);
    } catch (error) {
      this.#refuse(number, error);
      return;
    }
    if (!(answer instanceof Promise)) {
      this.#goOn(number, answer);
      return;
    }
    // Off the promise's own turn: what a listener of the stream throws is not the answer's failure.
    answer.then(
      (bytes) => process.nextTick(() => this.#goOn(number, bytes)),
      (error: unknown) => process.nextTick(() => this.#refuse(number, error)),
    );
  }

  #goOn(number: number, bytes: Uint8Array | void): void {
    if (!this.#isOver) this.connection.answer(number, GO_ON, bytes ?? undefined);
  }

  #refuse(number: number, thrown: unknown): void {
    if (this.#isOver) return;
    const refusal = thrown instanceof Refusal ? thrown : undefined;
    const error = refusal?.cause ?? thrown;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.connection.answer(number, refusal?.alert ?? ALERT_INTERNAL_ERROR);
  }

  /** The handshake is over. */
  close(): void {
    this.#isOver = true;
    this.#over?.abort();
  }
}
