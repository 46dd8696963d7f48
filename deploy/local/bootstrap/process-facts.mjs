/** What can be known about a process from its pid. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @typedef {{ pid: number, startedAt: string }} Identity */

/** What tells this process from a later one with the same pid. @param {number} pid @returns {Identity} */
export function identityOf(pid) {
  return { pid, startedAt: startOf(pid) };
}

/**
 * When a process started, as the kernel counts. `gone` for one that ended, zombies included; empty where /proc is missing,
 * which leaves the pid alone to decide.
 * @param {number} pid
 */
function startOf(pid) {
  if (process.platform !== 'linux') return '';
  const [state, , start] = statOf(pid);
  return start === undefined || state === 'Z' ? 'gone' : start;
}

/** Whether the process that was noted still runs. @param {Identity} identity */
export function isRunning({ pid, startedAt }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return startOf(pid) === startedAt;
}

/** The parent's pid, where it can be told. @param {number} pid @returns {number | undefined} */
export function parentOf(pid) {
  if (process.platform === 'linux') return Number(statOf(pid)[1]) || undefined;
  if (process.platform === 'win32') return undefined;
  try {
    return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' })) || undefined;
  } catch {
    return undefined;
  }
}

/** State, parent and start of a process: fields 3, 4 and 22 of proc(5). @param {number} pid @returns {string[]} */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before them stands in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [fields[0] ?? '', fields[1] ?? '', fields[19] ?? ''];
  } catch {
    return [];
  }
}
