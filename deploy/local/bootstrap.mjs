/**
 * Runs a command of this checkout with everything it needs: `node deploy/local/bootstrap.mjs <command> [args…]`.
 * Makes sure of the Node.js and the npm packages, then hands over; what the command does is its own affair.
 * Plain JavaScript without dependencies, because it is what runs before anything is installed (Node.js 20 and later).
 */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { handOver } from './bootstrap/hand-over.mjs';
import { ensureNode } from './bootstrap/node-runtime.mjs';

const root = dirname(dirname(import.meta.dirname));
const binaries = join(root, 'node_modules', '.bin');

const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail('Usage: node deploy/local/bootstrap.mjs <command> [args…]');

try {
  const node = await ensureNode(root);
  await ensureDependencies(root, node);
  const path = [dirname(node), binaries, process.env.PATH].join(delimiter);
  process.exitCode = await handOver(programOf(command, node), args, { ...process.env, PATH: path, NODE: node });
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
