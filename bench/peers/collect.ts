import type { Answers } from '../runner/peer-process';

/**
 * Collects garbage, as often as it takes to see it go, and gives the young generation's room back, as V8 does by itself
 * in a process that has been idle for a while (Node 20 does not know how); needs `--expose-gc`.
 */
export const collect: Answers = () => {
  for (let i = 0; i < 4; i++) gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return null;
};
