/**
 * Runs a command of this checkout with everything it needs: `node deploy/local/bootstrap.mjs <command> [args…]`.
 * Makes sure of the Node.js and the npm packages, then hands over; what the command does is its own affair.
 * Plain JavaScript without dependencies, because it is what runs before anything is installed (Node.js 20 and later).
 */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { handOver, noteStarters, whenAbandoned } from './bootstrap/hand-over.mjs';
import { ensureNode } from './bootstrap/node-runtime.mjs';

const starters = noteStarters();
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const binaries = join(root, 'node_modules', '.bin');

const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail('Usage: node deploy/local/bootstrap.mjs <command> [args…]');

try {
  // Who started this may give up during an installation that takes its time.
  const stopWatching = whenAbandoned(starters, () => fail('Whoever started this has gone: stopped.'));
  const node = await ensureNode(root);
  await ensureDependencies(root, node);
  stopWatching();
  const path = [dirname(node), binaries, process.env.PATH].join(delimiter);
  process.exitCode = await handOver(programOf(command, node), args, { ...process.env, PATH: path, NODE: node }, starters);
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

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}
