/**
 * A lock between processes of one machine: a file that names its holder, and that is void once the holder is dead.
 * Shared by bootstrap.mjs, which runs before TypeScript is there, and by the launcher.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning } from './process-facts.mjs';

/** @typedef {import('./process-facts.mjs').Identity & { purpose: string }} Holder */
/** @typedef {{ lock: { release(): void } } | { holder: Holder }} Attempt */

const waitPollMs = 200;

/**
 * Takes the lock, or says who has it.
 * @param {string} path @param {string} purpose shown to whoever finds the lock taken
 * @returns {Attempt}
 */
export function tryLock(path, purpose) {
  const content = JSON.stringify({ ...identityOf(process.pid), purpose });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    for (;;) {
      if (linked(draft, path)) return { lock: { release: () => releaseOwn(path, content) } };
      const found = read(path);
      if (found === undefined) continue;
      const holder = parse(found);
      if (holder !== undefined && isRunning(holder)) return { holder };
      discard(path, found);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Waits until the lock is free and takes it.
 * @param {string} path @param {string} purpose
 * @param {(holder: Holder) => void} onWait called once, when there is somebody to wait for
 */
export async function waitForLock(path, purpose, onWait) {
  for (let told = false; ; told = true) {
    const attempt = tryLock(path, purpose);
    if ('lock' in attempt) return attempt.lock;
    if (!told) onWait(attempt.holder);
    await sleep(waitPollMs);
  }
}

/** link(2) makes the lock appear with its content or not at all. @param {string} draft @param {string} path */
function linked(draft, path) {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a dead holder's lock. Another process may do the same at once and take the lock in between, so what was moved
 * away is looked at, and put back when it is not the dead one.
 * @param {string} path @param {string} dead
 */
function discard(path, dead) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== dead) linked(aside, path);
  rmSync(aside, { force: true });
}

/** @param {string} path @param {string} content */
function releaseOwn(path, content) {
  if (read(path) === content) rmSync(path, { force: true });
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {string} text @returns {Holder | undefined} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {unknown} error @returns {string} */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
