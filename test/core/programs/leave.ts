/** Brings a connection into a state and ends the process. Arguments: the state, the ending. */
import { leaveFromCallback, states } from './states.js';

const endings: Record<string, () => void> = {
  exit: () => process.exit(7),
  crash: () => {
    throw new Error('the user’s code crashed');
  },
  'crash-later': () =>
    setImmediate(() => {
      throw new Error('the user’s code crashed');
    }),
  rejection: () => void Promise.reject(new Error('the user’s code crashed')),
};

const [state, ending] = process.argv.slice(2) as [string, string];
const leave = endings[ending]!;
leaveFromCallback(leave);
void states[state]!().then(leave);
