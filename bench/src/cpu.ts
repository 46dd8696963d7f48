// CPU time of processes and of their children, as Linux counts it. Elsewhere the figures are left out.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Of USER_HZ, which is 100 on every Linux that Node runs on. */
const tickMs = 10;

/** User and system time of the process and its children, ended ones included, in milliseconds; NaN where it can't be told. */
export function cpuMs(pid: number): number {
  if (!existsSync('/proc/self/stat')) return NaN;
  return statsOf(pid, true) + childrenOf(pid).reduce((sum, child) => sum + statsOf(child, false), 0);
}

function statsOf(pid: number, withEnded: boolean): number {
  const [user, system, endedUser, endedSystem] = fieldsOf(pid).slice(11, 15).map(Number) as [number, number, number, number];
  return (user + system + (withEnded ? endedUser + endedSystem : 0)) * tickMs;
}

function childrenOf(pid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.filter((one) => fieldsOf(one)[1] === String(pid));
}

/** Those after the name, which may contain anything: state, parent, … */
function fieldsOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return Array<string>(50).fill('0');
  }
}
