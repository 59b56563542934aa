/** Brings a connection into a state and ends the process. Arguments: the state, the ending. */
import { leaveFromCallback, states } from './states.js';

const endings: Record<string, () => void> = {
  exit: () => process.exit(7),
  crash: () => {
    throw new Error('the user’s code crashed');
  },
};

const [state, ending] = process.argv.slice(2) as [string, string];
const leave = endings[ending]!;
leaveFromCallback(leave);
// In a turn of its own, or the promise would make a rejection of the exception.
void states[state]!().then(() => setImmediate(leave));
