/** Log files of servers and services: kept small, and read from the end when something went wrong. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

const maxBytes = 20 * 1024 * 1024;
const tailBytes = 16 * 1024;

/** Empties a log that has grown past 20 MB; to be called before anything writes to it. */
export function trimLog(path: string): void {
  if (existsSync(path) && statSync(path).size > maxBytes) truncateSync(path);
}

export function logSize(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** The last lines of a log, but nothing from before `from` (bytes), where this run's part begins. */
export function logTail(path: string, lines: number, from = 0): string {
  if (!existsSync(path)) return '';
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - tailBytes);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    readSync(file, buffer, 0, buffer.length, start);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(file);
  }
}
