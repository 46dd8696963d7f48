/** Remembers which lockfile an installation came from, so that a second run has nothing to do and needs no network. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether `folder`/node_modules was installed from this very lockfile. @param {string} folder @param {string} lockfile */
export function installed(folder, lockfile) {
  try {
    return readFileSync(stampOf(folder), 'utf8') === hashOf(lockfile);
  } catch {
    return false;
  }
}

/** @param {string} folder @param {string} lockfile */
export function stamp(folder, lockfile) {
  writeFileSync(stampOf(folder), hashOf(lockfile));
}

/** @param {string} folder */
function stampOf(folder) {
  return join(folder, 'node_modules', '.installed');
}

/** @param {string} path */
function hashOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
