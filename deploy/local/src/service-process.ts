/**
 * Keeps one service running. The channel to its process carries its word that it is ready, and closes when this process
 * dies, upon which the service stops itself.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { logSize, logTail, trimLog } from './log-files.ts';
import type { Say } from './progress.ts';
import type { ServiceSpec } from './services.ts';

export interface ReadyMessage {
  type: 'ready';
  /** Only of a service that people talk to. */
  httpPort?: number;
  healthPort: number;
}

export interface ServiceProcess {
  /** Resolves when the service is ready for the first time; rejects when it ends before, with the end of its log. */
  ready: Promise<ReadyMessage>;
  /** SIGTERM, and SIGKILL for one that takes too long. */
  stop(): Promise<void>;
  kill(): void;
}

const stopWithinMs = 10_000;
/** Doubled with each end, and back at the first after a run longer than the last. */
const backoffMs = { first: 1_000, last: 30_000 };
const shownLines = 20;

export function runService(spec: ServiceSpec, logFile: string, say: Say): ServiceProcess {
  trimLog(logFile);
  const logStart = logSize(logFile);
  const ready = Promise.withResolvers<ReadyMessage>();
  const stopping = new AbortController();
  let hasBeenReady = false;
  let child: ChildProcess | undefined;

  function onReady(message: ReadyMessage): void {
    if (hasBeenReady) say(`${spec.name} is ready again`);
    hasBeenReady = true;
    ready.resolve(message);
  }

  async function keepRunning(): Promise<void> {
    for (let delayMs = backoffMs.first; !stopping.signal.aborted; delayMs = Math.min(delayMs * 2, backoffMs.last)) {
      const startedAt = performance.now();
      child = start(spec, logFile, onReady);
      const how = await end(child);
      if (stopping.signal.aborted) return;
      if (!hasBeenReady) return ready.reject(new Error(`${spec.name} ended (${how}) before it was ready. ${endOf(logFile, logStart)}`));
      if (performance.now() - startedAt > backoffMs.last) delayMs = backoffMs.first;
      say(`${spec.name} ended (${how}): starting it again in ${delayMs / 1000} s; its log is ${logFile}`);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const done = keepRunning();
  return {
    ready: ready.promise,
    async stop() {
      stopping.abort();
      child?.kill('SIGTERM');
      const killing = setTimeout(() => child?.kill('SIGKILL'), stopWithinMs);
      await done;
      clearTimeout(killing);
    },
    kill() {
      stopping.abort();
      child?.kill('SIGKILL');
    },
  };
}

function start({ program, nodeOptions, env }: ServiceSpec, logFile: string, onReady: (message: ReadyMessage) => void): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    // Detached: Ctrl-C in a terminal reaches the whole process group, and who stops first is the launcher's to choose.
    const child = fork(program, { execArgv: nodeOptions, env, stdio: ['ignore', log, log, 'ipc'], detached: true });
    return child.on('message', (message) => isReady(message) && onReady(message));
  } finally {
    closeSync(log);
  }
}

function endOf(logFile: string, from: number): string {
  return `The end of ${logFile}:\n${logTail(logFile, shownLines, from)}`;
}

async function end(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal ?? `code ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function isReady(message: unknown): message is ReadyMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';
}
