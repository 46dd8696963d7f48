/** Starts a server behind a guard (guard.ts), so that it never outlives this process. */
import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './account.ts';

export interface GuardOrder {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** What the server understands as: finish and stop. */
  stopSignal: NodeJS.Signals;
  killAfterMs: number;
  /** The account the server runs as; this process's own when absent. */
  account?: Account | undefined;
  /** A folder to delete once the server was stopped, also when nobody else is left to do it. */
  removeAfter?: string | undefined;
}

export interface Guarded {
  /** The server's own pid, not the guard's. */
  pid: number;
  /** Resolves once the server has stopped, with how: a signal's name, or `code n`. */
  exited: Promise<string>;
  /** Asks the server to stop and waits until it has. */
  stop(): Promise<void>;
}

type Report = { pid: number } | { error: string } | { exit: string };

/** Rejects if the program can't be started; resolves as soon as it runs, which is before it is ready. */
export async function startGuarded(order: GuardOrder, logFile: string): Promise<Guarded> {
  const log = openSync(logFile, 'a', 0o600);
  // Detached: Ctrl-C in a terminal reaches the whole process group, and the order of stopping is the launcher's to choose.
  const guard = fork(join(import.meta.dirname, 'guard.ts'), {
    execPath: process.execPath,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: serverEnvironment(),
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);

  const started = Promise.withResolvers<number>();
  const exited = Promise.withResolvers<string>();
  guard.on('message', (report: Report) => {
    if ('pid' in report) started.resolve(report.pid);
    else if ('error' in report) started.reject(new Error(`${order.command} could not be started: ${report.error}`));
    else exited.resolve(report.exit);
  });
  guard.on('error', (error) => started.reject(error));
  guard.on('exit', (code, signal) => {
    started.reject(new Error(`the guard of ${order.command} ended (${signal ?? `code ${code}`})`));
    exited.resolve('stopped');
  });
  guard.send(order);

  const pid = await started.promise;
  return {
    pid,
    exited: exited.promise,
    async stop() {
      if (guard.connected) guard.disconnect();
      await exited.promise;
    },
  };
}

/** What a server needs of this process's environment: its own variables (PGDATA, say) would change what it does. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP, TMPDIR } = process.env;
  const kept = Object.entries({ PATH, SystemRoot, TEMP, TMPDIR }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}
