/**
 * The end of a process must be clean whatever its connections are doing: the exit code is the
 * user's, and no signal ends it. One child process for each state and each way to end.
 */
import path from 'node:path';
import t from 'tap';
import { runNode } from '../helpers/children.js';
import { states } from './programs/states.js';

const program = path.join(__dirname, 'programs', 'leave.js');

// Many processes, one after the other, each slow to start on a busy machine.
t.setTimeout(240_000);

const endings = {
  exit: { what: 'process.exit', code: 7 },
  crash: { what: 'an uncaught exception', code: 1 },
};

for (const state of Object.keys(states)) {
  t.test(`a connection ${state}`, async (t) => {
    for (const [ending, { what, code }] of Object.entries(endings)) {
      const ended = await runNode(t, program, [state, ending]);
      t.match(ended, { code, signal: null }, what);
      if (code === 1) t.match(ended.stderr, 'the user’s code crashed', 'and the user sees why');
    }
  });
}
