/** Runs npm under a chosen Node.js, and keeps what it prints for the moment it fails. */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { missingOptional } from './optional-packages.mjs';

const shownLines = 8;

/** npm's own patience is 70 s for each package, which is long for somebody who forgot to plug in the network. */
const retries = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];

/**
 * `npm ci`, exactly as the lockfile in `folder` says, with the optional packages for this platform.
 * @param {string} node the Node.js to run npm with @param {string} folder @param {string[]} options
 */
export async function npmCi(node, folder, options) {
  const cli = npmCli();
  const command = cli === undefined ? 'npm' : node;
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--include=optional', ...retries, ...options];
  const { code, output } = await run(command, cli === undefined ? args : [cli, ...args], folder, dirname(node));
  const missing = code === 0 ? missingOptional(folder) : [];
  if (code === 0 && missing.length === 0) return;
  const cause = missing.length > 0 ? `npm left out ${missing.join(', ')}.` : excerptOf(output);
  throw new Error(`npm ci failed in ${folder}: ${remedyOf(output)}. ${cause}`);
}

/** @param {string} output */
function remedyOf(output) {
  if (output.includes('code EUSAGE')) return 'package.json and package-lock.json do not agree, so run npm install';
  return 'check the network, the registry that npm is set to and the free disk space, then run the same command again';
}

/** npm gives its reason first and its usage after it, or a story first and its reason last. @param {string} output */
function excerptOf(output) {
  const lines = output.trim().split('\n');
  const shown = lines.length <= 2 * shownLines ? lines : [...lines.slice(0, shownLines), '…', ...lines.slice(-shownLines)];
  return `npm says:\n${shown.join('\n')}`;
}

/** npm's own JavaScript, so that a chosen Node.js can run it; undefined where only a wrapper of npm can be found. */
function npmCli() {
  const started = process.env.npm_execpath;
  if (started !== undefined && basename(started) === 'npm-cli.js') return started;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = join(folder, 'npm');
    if (!existsSync(found)) continue;
    const beside = join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js');
    return [realpathSync(found), beside].find((path) => basename(path) === 'npm-cli.js' && existsSync(path));
  }
  return undefined;
}

/**
 * @param {string} command @param {string[]} args @param {string} folder @param {string} nodeFolder
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(command, args, folder, nodeFolder) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: environment(nodeFolder),
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command === 'npm' && process.platform === 'win32',
    });
    // Should this process end meanwhile, nothing goes on behind its back. npm takes its time over a polite signal, and what it
    // leaves half done is done again, as nothing is stamped.
    const stop = () => void child.kill('SIGKILL');
    process.once('exit', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: null, output: `${output}${error.message}` }));
    child.on('close', (code) => {
      process.off('exit', stop);
      resolve({ code, output });
    });
  });
}

/** @param {string} nodeFolder @returns {NodeJS.ProcessEnv} */
function environment(nodeFolder) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PATH: [nodeFolder, process.env.PATH].join(delimiter) };
  // An outer `npm -w <workspace> …` hands these down, and npm would then install a part only.
  for (const name of ['npm_config_workspace', 'npm_config_workspaces', 'npm_config_global']) delete env[name];
  return env;
}
