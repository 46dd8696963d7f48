/** Looks at and ends processes that this process did not start: the leftovers of a launcher that was killed. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning, parentOf, type Identity } from '../bootstrap/process-facts.mjs';

const pollMs = 20;

/**
 * Ends the process with this pid if its command line names `mark` (a path that only our server has): a pid in an old file
 * may by now belong to anybody. Resolves when it is gone.
 */
export async function endLeftover(pid: number, mark: string, signal: NodeJS.Signals, killAfterMs: number): Promise<boolean> {
  if (!commandLine(pid).includes(mark)) return false;
  const family = familyOf(pid);
  signalQuietly(pid, signal);
  if (!(await areGone(family, killAfterMs))) await killAll(family);
  return true;
}

/** Kills a process and its children at once, and resolves when they are gone and their files are closed. */
export async function killFamily(pid: number): Promise<void> {
  await killAll(familyOf(pid));
}

async function killAll(family: Identity[]): Promise<void> {
  for (const { pid } of family) signalQuietly(pid, 'SIGKILL');
  await areGone(family, Infinity);
}

async function areGone(family: Identity[], withinMs: number): Promise<boolean> {
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

/** The process and its children. */
function familyOf(parent: number): Identity[] {
  return [parent, ...pids().filter((pid) => parentOf(pid) === parent)].map(identityOf);
}

function pids(): number[] {
  // Slim container images have no ps.
  if (process.platform === 'linux') return readdirSync('/proc').map(Number).filter(Number.isInteger);
  if (process.platform === 'win32') return [];
  return execFileSync('ps', ['-A', '-o', 'pid='], { encoding: 'utf8' }).trim().split(/\s+/).map(Number);
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
