/** A cluster on disk: made once, with its password beside it, and freed from what a killed server left. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serverEnvironment } from './guarded.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import type { Place } from './postgres-place.ts';
import { endLeftover } from './processes.ts';

export const superuser = 'postgres';

const stopWithinMs = 15_000;
const run = promisify(execFile);

/** Makes the cluster unless it is there, and returns the superuser's password. */
export async function ensureCluster(place: Place, binaries: PostgresBinaries, durable: boolean): Promise<string> {
  const passwordFile = join(place.folder, 'password');
  if (existsSync(place.cluster)) return readPassword(passwordFile);
  const password = randomBytes(24).toString('base64url');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  await makeCluster(place, binaries, password, durable);
  return password;
}

/** Stops a postmaster that a killed launcher left on this cluster. Its pid file alone, with nobody behind it, is removed. */
export async function endLeftoverPostmaster(cluster: string): Promise<boolean> {
  const [pid] = pidFileLines(cluster);
  if (pid === undefined) return false;
  const ended = await endLeftover(Number(pid), cluster, 'SIGINT', stopWithinMs);
  // PostgreSQL takes a file whose pid now belongs to any other process for a server that still runs.
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  return ended;
}

/** What the postmaster with this pid says about itself, in the line that pg_ctl waits for. */
export function postmasterStatus(cluster: string, pid: number): string | undefined {
  const lines = pidFileLines(cluster);
  return Number(lines[0]) === pid ? lines[7]?.trim() : undefined;
}

function pidFileLines(cluster: string): string[] {
  const path = join(cluster, 'postmaster.pid');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

function readPassword(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  throw new Error(`${path} is missing, and without it nobody can connect to the cluster beside it: delete or restore that folder.`);
}

/** In a folder of another name, so that a half-made cluster is never taken for a cluster. */
async function makeCluster({ folder, cluster, account }: Place, { bin }: PostgresBinaries, password: string, durable: boolean) {
  const draft = join(folder, 'unfinished');
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  const passwordFile = join(draft, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) for (const path of [draft, passwordFile]) chownSync(path, account.uid, account.gid);

  const data = join(draft, 'cluster');
  const args = [
    ...['--pgdata', data, '--username', superuser, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    // PostgreSQL's own C.UTF-8: the operating system's locales differ from machine to machine.
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(durable ? [] : ['--no-sync']),
  ];
  await run(join(bin, 'initdb'), args, { cwd: account && '/', env: serverEnvironment(), ...account }).catch((error: unknown) => {
    throw new Error(`PostgreSQL's initdb failed: ${(error as Error & { stderr?: string }).stderr ?? String(error)}`);
  });
  renameSync(data, cluster);
  rmSync(draft, { recursive: true });
}
