import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

/** CPU time of a process with all its threads, in microseconds. */
export interface CpuTime {
  user: number;
  system: number;
}

const microsPerTick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Reads `/proc/<pid>/stat`, proc(5): utime is field 14, stime field 15, in clock ticks. */
export function cpuTime(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Field 2, the command in parentheses, may hold blanks; field 3 starts behind the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) * microsPerTick, system: Number(fields[12]) * microsPerTick };
}

/** What was spent between two readings. */
export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system };
}
