import { join } from 'node:path';

/** The folder `bench/` of the checkout; the compiled runner lies in `bench/dist/runner/`. */
export const benchDir = join(__dirname, '..', '..');
export const compiledDir = join(__dirname, '..');
/** Ignored by git: certificate, compiled load generators, results. */
export const workDir = join(benchDir, '.work');
export const resultsDir = join(benchDir, 'results');
