/** The folder that holds everything a local installation must not lose, for one launcher at a time. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock } from '../bootstrap/lock.mjs';
import { isRoot } from './account.ts';

/** Makes the folder if need be and takes it; throws, naming the holder, when another launcher has it. */
export function takeDataFolder(dataDir: string, purpose: string): { release(): void } {
  // PostgreSQL runs as another account than root and must pass through to its cluster; what lies beside it is closed anyway.
  mkdirSync(dataDir, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
  mkdirSync(logFolder(dataDir), { recursive: true, mode: 0o700 });
  const attempt = tryLock(join(dataDir, 'lock'), purpose);
  if ('lock' in attempt) return attempt.lock;
  const { pid, purpose: theirs } = attempt.holder;
  throw new Error(`${dataDir} is in use by process ${pid} (${theirs}). Stop that one, or set DATA_DIR to another folder.`);
}

export function postgresFolder(dataDir: string): string {
  return join(dataDir, 'postgres');
}

export function natsFolder(dataDir: string): string {
  return join(dataDir, 'nats');
}

/** Where alert mails become files. */
export function mailFolder(dataDir: string): string {
  return join(dataDir, 'mail');
}

export function logFolder(dataDir: string): string {
  return join(dataDir, 'logs');
}
