/**
 * Starts a PostgreSQL server of one's own: loopback only, with a random password, and stopped when this process ends.
 * Roles and schemas are provision.ts's business.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from '../bootstrap/lock.mjs';
import { serverEnvironment, startGuarded, type Guarded } from './guarded.ts';
import { logSize, logTail, trimLog } from './log-files.ts';
import { freePort } from './ports.ts';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { ensureCluster, endLeftoverPostmaster, postmasterStatus, superuser } from './postgres-cluster.ts';
import { choosePlace, type Place } from './postgres-place.ts';
import { killFamily } from './processes.ts';

export interface PostgresOptions {
  /** Where the cluster is kept. Without it, a temporary one that is deleted when the server stops. */
  dataDir?: string;
  /** Any free port when absent. */
  port?: number;
  /** Server settings, such as `{ log_statement: 'all' }`. */
  settings?: Record<string, string>;
  /** False trades safety at a power failure for speed; a killed process still loses nothing. Default true. */
  durable?: boolean;
  /** Told about what a person should know. */
  say?: (note: string) => void;
}

export interface PostgresServer {
  /** The superuser's, with the password: `postgresql://…@127.0.0.1:…/postgres`. */
  url: string;
  port: number;
  version: string;
  /** The postmaster's. */
  pid: number;
  logFile: string;
  /** Resolves when the server has stopped, for whatever reason. */
  exited: Promise<string>;
  /** A fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>;
  /** SIGKILL for the postmaster and all its processes. */
  kill(): Promise<void>;
}

const startAttempts = 5;
const readyWithinMs = 60_000;
const stopWithinMs = 15_000;
const pollMs = 10;

const defaults = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '300', timezone: 'UTC', log_timezone: 'UTC' };
const notDurable = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { durable = true, say = () => {} } = options;
  const place = choosePlace(options.dataDir, say);
  const attempt = tryLock(join(place.folder, 'lock'), 'running PostgreSQL');
  if ('holder' in attempt) throw new Error(`The PostgreSQL in ${place.folder} is in use by process ${attempt.holder.pid}.`);
  try {
    const binaries = postgresBinaries(place.account);
    if (await endLeftoverPostmaster(place.cluster)) say('a PostgreSQL that an earlier run left behind was stopped');
    const password = await ensureCluster(place, binaries, durable);
    const settings = { ...defaults, ...(durable ? {} : notDurable), ...options.settings };
    const { server, port } = await startOnPort(place, binaries, settings, options.port);
    void server.exited.then(() => attempt.lock.release());
    return {
      url: `postgresql://${superuser}:${password}@127.0.0.1:${port}/postgres`,
      port,
      version: binaries.version,
      pid: server.pid,
      logFile: logOf(place),
      exited: server.exited,
      stop: () => server.stop(),
      async kill() {
        await Promise.all([killFamily(server.pid), server.exited]);
        removeIfTemporary(place);
      },
    };
  } catch (error) {
    attempt.lock.release();
    removeIfTemporary(place);
    throw error;
  }
}

/** A port that was free may be taken by the time the server wants it; then another one is tried. */
async function startOnPort(place: Place, binaries: PostgresBinaries, settings: Record<string, string>, wanted?: number) {
  trimLog(logOf(place));
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    const logStart = logSize(logOf(place));
    const server = await startServer(place, binaries, { ...settings, port: String(port) });
    if (await isReady(place, server)) return { server, port };
    const log = logTail(logOf(place), 20, logStart);
    if (!log.includes('Address already in use')) throw new Error(`PostgreSQL did not start. The end of ${logOf(place)}:\n${log}`);
    if (wanted !== undefined) throw new Error(`PostgreSQL can't listen on port ${port}: another program does.`);
    if (attempt === startAttempts) throw new Error(`PostgreSQL lost the race for a free port ${startAttempts} times.`);
  }
}

function startServer(place: Place, { bin }: PostgresBinaries, settings: Record<string, string>): Promise<Guarded> {
  const args = ['-D', place.cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  return startGuarded(
    {
      command: join(bin, 'postgres'),
      args,
      env: serverEnvironment(),
      stopSignal: 'SIGINT',
      killAfterMs: stopWithinMs,
      account: place.account,
      removeAfter: place.isTemporary ? place.folder : undefined,
    },
    logOf(place),
  );
}

/** False if the server ended instead; what it said is in its log. */
async function isReady(place: Place, server: Guarded): Promise<boolean> {
  let hasExited = false;
  void server.exited.then(() => (hasExited = true));
  for (const deadline = Date.now() + readyWithinMs; !hasExited; await sleep(pollMs)) {
    if (postmasterStatus(place.cluster, server.pid) === 'ready') return true;
    if (Date.now() < deadline) continue;
    await server.stop();
    throw new Error(`PostgreSQL was not ready within ${readyWithinMs / 1000} s. The end of ${logOf(place)}:\n${logTail(logOf(place), 20)}`);
  }
  return false;
}

function removeIfTemporary({ folder, isTemporary }: Place): void {
  if (isTemporary) rmSync(folder, { recursive: true, force: true });
}

function logOf(place: Place): string {
  return join(place.folder, 'postgres.log');
}
