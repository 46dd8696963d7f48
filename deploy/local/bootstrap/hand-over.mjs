/** Runs a command in this process's place: same terminal, same signals, same exit code, and no longer than this process's parent. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { identityOf, isRunning, parentOf } from './process-facts.mjs';

const parentPollMs = 500;

/**
 * Resolves with the exit code, which is 128 + n for a command that signal n killed.
 * @param {string} program @param {string[]} args @param {NodeJS.ProcessEnv} env @param {Starters} starters
 * @returns {Promise<number>}
 */
export function handOver(program, args, env, starters) {
  return new Promise((resolve, reject) => {
    // Before the command starts: a signal in between would end this process and leave the command alone.
    onStopSignal(starters, (signal) => child.kill(signal));
    const child = spawn(program, args, { stdio: 'inherit', env, shell: program.endsWith('.cmd') });
    child.on('error', (error) => reject(new Error(`${program} could not be started: ${error.message}`)));
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

/** @param {Starters} starters @param {(signal: NodeJS.Signals) => void} pass */
function onStopSignal(starters, pass) {
  let isAsked = false;
  const ask = (/** @type {NodeJS.Signals} */ signal) => {
    isAsked = true;
    pass(signal);
  };
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => ask(signal));
  // A terminal sends Ctrl-C to the whole process group: the child has it already, and a second one would mean "at once".
  process.on('SIGINT', () => {
    isAsked = true;
    if (!process.stdin.isTTY) pass('SIGINT');
  });
  // For the same reason no more than once, and not after a signal that npm has passed on before it ended.
  whenAbandoned(starters, () => isAsked || ask('SIGTERM'));
}

/** @typedef {import('./process-facts.mjs').Identity[]} Starters */

/**
 * Who waits for this process: its parent, and npm behind it. npm starts a script through a shell that outlives it, and does
 * not pass every signal on; when npm is gone, nobody is left who wants the command's work. To be noted first thing: one that
 * has gone already can't be told from nobody.
 * @returns {Starters}
 */
export function noteStarters() {
  const { ppid, env } = process;
  const npm = env.npm_lifecycle_event === undefined ? undefined : parentOf(ppid);
  return (npm === undefined ? [ppid] : [ppid, npm]).map(identityOf);
}

/**
 * Calls back while one of the starters is gone, every half second.
 * @param {Starters} starters @param {() => unknown} then @returns {() => void} ends the watch
 */
export function whenAbandoned(starters, then) {
  const timer = setInterval(() => void (starters.every(isRunning) || then()), parentPollMs);
  timer.unref();
  return () => clearInterval(timer);
}
