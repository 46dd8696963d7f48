/**
 * Runs a command of this checkout with everything it needs: `node deploy/local/bootstrap.mjs <command> [args…]`.
 * Makes sure of the Node.js and the npm packages, then hands over; what the command does is its own affair.
 * Plain JavaScript without dependencies, because it is what runs before anything is installed (Node.js 20 and later).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { ensureNode } from './bootstrap/node-runtime.mjs';

const root = dirname(dirname(import.meta.dirname));
const binaries = join(root, 'node_modules', '.bin');
const parentPollMs = 500;

const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail('Usage: node deploy/local/bootstrap.mjs <command> [args…]');

try {
  const node = await ensureNode(root);
  await ensureDependencies(root, node);
  hand(programOf(command, node), node);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

/** @param {string} name @param {string} node */
function programOf(name, node) {
  if (name === 'node') return node;
  const program = join(binaries, process.platform === 'win32' ? `${name}.cmd` : name);
  if (!existsSync(program)) throw new Error(`There is no program "${name}" in node_modules/.bin.`);
  return program;
}

/** @param {string} program @param {string} node */
function hand(program, node) {
  const path = [dirname(node), binaries, process.env.PATH].join(delimiter);
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: path, NODE: node },
    shell: program.endsWith('.cmd'),
  });
  child.on('error', (error) => fail(`${program} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  passSignals(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function passSignals(child) {
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to the whole process group: the child has it already, and a second one would mean "at once".
  process.on('SIGINT', () => void (process.stdin.isTTY || child.kill('SIGINT')));
  // npm does not always pass a signal on: when it is gone, nobody is left who wants this command's work.
  const parent = process.ppid;
  setInterval(() => void (process.ppid !== parent && child.kill('SIGTERM')), parentPollMs).unref();
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}
