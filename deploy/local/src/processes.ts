/** Looks at and ends processes that this process did not start: the leftovers of a launcher that was killed. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, startOf } from '../bootstrap/lock.mjs';

const pollMs = 20;

/**
 * Ends the process with this pid if its command line names `mark` (a path that only our server has): a pid in an old file
 * may by now belong to anybody. Resolves when it is gone.
 */
export async function endLeftover(pid: number, mark: string, signal: NodeJS.Signals, killAfterMs: number): Promise<boolean> {
  if (!commandLine(pid).includes(mark)) return false;
  const target = { pid, startedAt: startOf(pid) };
  const family = [target, ...childrenOf(pid).map((child) => ({ pid: child, startedAt: startOf(child) }))];
  signalQuietly(pid, signal);
  if (!(await areGone(family, killAfterMs))) await killAll(family);
  return true;
}

/** Kills a process and its children at once, and resolves when they are gone and their files are closed. */
export async function killFamily(pid: number): Promise<void> {
  const family = [pid, ...childrenOf(pid)].map((member) => ({ pid: member, startedAt: startOf(member) }));
  await killAll(family);
}

async function killAll(family: { pid: number; startedAt: string }[]): Promise<void> {
  for (const { pid } of family) signalQuietly(pid, 'SIGKILL');
  await areGone(family, Infinity);
}

async function areGone(family: { pid: number; startedAt: string }[], withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; family.some(isRunning); await sleep(pollMs)) {
    if (Date.now() > deadline) return false;
  }
  return true;
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(parent: number): number[] {
  return processTable()
    .filter(({ ppid }) => ppid === parent)
    .map(({ pid }) => pid);
}

function processTable(): { pid: number; ppid: number }[] {
  if (process.platform !== 'linux') return processTableOfPs();
  // Slim container images have no ps.
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), ppid: parentOf(name) }));
}

function parentOf(pid: string): number {
  const stat = readQuietly(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function processTableOfPs(): { pid: number; ppid: number }[] {
  if (process.platform === 'win32') return [];
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return table.split('\n').map((line) => {
    const [pid, ppid] = line.trim().split(/\s+/).map(Number);
    return { pid: pid ?? 0, ppid: ppid ?? 0 };
  });
}

function commandLine(pid: number): string {
  if (process.platform === 'linux') return readQuietly(`/proc/${pid}/cmdline`);
  if (process.platform === 'win32') return '';
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/** A process may end between being listed and being looked at. */
function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
