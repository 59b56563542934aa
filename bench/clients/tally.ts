import { percentile } from '../runner/stats';
import type { Phases } from '../runner/scenario';
import type { ProgramReport } from '../loads/program';

/** Counts the units of a measured phase, which begins after the warm-up. */
export class Tally {
  over = false;
  #measuring = false;
  #units = 0;
  readonly #millis: number[] = [];
  #begin = 0;
  #seconds = 0;

  /** The warm-up begins now; `onBorder` is told when the phase begins and ends. */
  constructor({ warmUp, measure }: Phases, onBorder: (border: 'start' | 'stop') => void) {
    setTimeout(() => {
      this.#begin = performance.now();
      this.#measuring = true;
      onBorder('start');
    }, warmUp);
    setTimeout(() => {
      this.#seconds = (performance.now() - this.#begin) / 1000;
      this.#measuring = false;
      this.over = true;
      onBorder('stop');
    }, warmUp + measure);
  }

  /** `units` of work done just now, the last of which took so long. */
  add(units: number, millis: number): void {
    if (!this.#measuring) return;
    this.#units += units;
    this.#millis.push(millis);
  }

  report(): ProgramReport {
    // Nothing was done: a stall that took all of it.
    if (this.#millis.length === 0) this.#millis.push(1000 * this.#seconds);
    const sorted = Float64Array.from(this.#millis).sort();
    const micros = (p: number) => 1000 * percentile(sorted, p);
    return {
      units: this.#units,
      seconds: this.#seconds,
      p50: micros(0.5),
      p90: micros(0.9),
      p99: micros(0.99),
      max: micros(1),
    };
  }
}
