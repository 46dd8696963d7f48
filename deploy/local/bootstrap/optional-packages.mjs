/** Which optional packages an installation lacks: npm skips one that it could not fetch, and calls that a success. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ os?: string | string[], cpu?: string | string[] }} Entry */

/**
 * The names of those that package.json asks for, that are made for this platform and that are not there.
 * @param {string} folder @returns {string[]}
 */
export function missingOptional(folder) {
  const { optionalDependencies = {} } = readJson(join(folder, 'package.json'));
  const { packages } = readJson(join(folder, 'package-lock.json'));
  return Object.keys(optionalDependencies).filter((name) => {
    const path = `node_modules/${name}`;
    return fits(packages[path] ?? {}) && !existsSync(join(folder, path));
  });
}

/** @param {Entry} entry */
function fits({ os = process.platform, cpu = process.arch }) {
  return [os].flat().includes(process.platform) && [cpu].flat().includes(process.arch);
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
