import type { Answers } from '../runner/peer-process';

/** Collects garbage, as often as it takes to see it go; needs `--expose-gc`. */
export const collect: Answers = () => {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return null;
};
