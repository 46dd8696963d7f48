/** Starts a nats-server of one's own: JetStream on disk, loopback only, behind a password, stopped when this process ends. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from '../bootstrap/lock.mjs';
import { serverEnvironment, startGuarded, type Guarded } from './guarded.ts';
import { logSize, logTail, trimLog } from './log-files.ts';
import { findNatsServer } from './nats-binary.ts';
import { endLeftover, killFamily } from './processes.ts';

export interface NatsOptions {
  /** Where streams, the password and the log are kept. */
  dataDir: string;
  /** One that the kernel chooses when absent. */
  port?: number;
  say?: (note: string) => void;
}

export interface NatsServer {
  /** With user and password, which stay the same for one data folder: `nats://…:…@127.0.0.1:…`. */
  url: string;
  port: number;
  version: string;
  pid: number;
  logFile: string;
  /** Resolves when the server has stopped, for whatever reason. */
  exited: Promise<string>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

interface Files {
  folder: string;
  config: string;
  password: string;
  log: string;
  pid: string;
}

const user = 'local';
/** nats-server warns above 8 MiB. */
const maxPayloadBytes = 8 * 1024 * 1024;
const readyWithinMs = 60_000;
const stopWithinMs = 10_000;
const pollMs = 10;

export async function startNats({ dataDir, port, say = () => {} }: NatsOptions): Promise<NatsServer> {
  const binary = await findNatsServer(say);
  const files = filesIn(resolve(dataDir));
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  const attempt = tryLock(join(files.folder, 'lock'), 'running nats-server');
  if ('holder' in attempt) throw new Error(`The nats-server in ${files.folder} is in use by process ${attempt.holder.pid}.`);
  try {
    if (await endLeftoverServer(files)) say('a nats-server that an earlier run left behind was stopped');
    const password = ensurePassword(files.password);
    writeFileSync(files.config, configuration(files, password, port), { mode: 0o600 });
    const { server, port: actual } = await startServer(binary.path, files);
    void server.exited.then(() => attempt.lock.release());
    return {
      url: `nats://${user}:${password}@127.0.0.1:${actual}`,
      port: actual,
      version: binary.version,
      pid: server.pid,
      logFile: files.log,
      exited: server.exited,
      stop: () => server.stop(),
      kill: async () => void (await Promise.all([killFamily(server.pid), server.exited])),
    };
  } catch (error) {
    attempt.lock.release();
    throw error;
  }
}

function filesIn(folder: string): Files {
  return {
    folder,
    config: join(folder, 'nats-server.conf'),
    password: join(folder, 'password'),
    log: join(folder, 'nats-server.log'),
    pid: join(folder, 'nats-server.pid'),
  };
}

/** Kept, so that a client reconnects to a server that was started again on the same port. */
function ensurePassword(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const password = randomBytes(24).toString('hex');
  writeFileSync(file, password, { mode: 0o600 });
  return password;
}

function configuration(files: Files, password: string, port: number | undefined): string {
  // JSON is a subset of nats-server's configuration language; -1 lets the kernel choose.
  return JSON.stringify(
    {
      server_name: 'local',
      host: '127.0.0.1',
      port: port ?? -1,
      ports_file_dir: files.folder,
      pid_file: files.pid,
      max_payload: maxPayloadBytes,
      authorization: { user, password },
      // nats-server makes a folder `jetstream` in it.
      jetstream: { store_dir: files.folder },
    },
    undefined,
    2,
  );
}

async function endLeftoverServer(files: Files): Promise<boolean> {
  const ended = existsSync(files.pid) && (await endLeftover(Number(readFileSync(files.pid, 'utf8')), files.config, 'SIGTERM', stopWithinMs));
  for (const name of portsFiles(files)) rmSync(join(files.folder, name));
  return ended;
}

async function startServer(command: string, files: Files): Promise<{ server: Guarded; port: number }> {
  trimLog(files.log);
  const logStart = logSize(files.log);
  const server = await startGuarded(
    { command, args: ['--config', files.config], env: serverEnvironment(), stopSignal: 'SIGTERM', killAfterMs: stopWithinMs },
    files.log,
  );
  const port = await listeningPort(files, server);
  if (port !== undefined) return { server, port };
  await server.stop();
  throw new Error(`nats-server did not start. The end of ${files.log}:\n${logTail(files.log, 20, logStart)}`);
}

/** nats-server writes its ports into a file once it has read its streams and listens. */
async function listeningPort(files: Files, server: Guarded): Promise<number | undefined> {
  let hasExited = false;
  void server.exited.then(() => (hasExited = true));
  for (const deadline = Date.now() + readyWithinMs; !hasExited && Date.now() < deadline; await sleep(pollMs)) {
    const name = portsFiles(files).find((file) => file.endsWith(`_${server.pid}.ports`));
    const port = name === undefined ? undefined : portIn(join(files.folder, name));
    if (port !== undefined) return port;
  }
  return undefined;
}

function portsFiles(files: Files): string[] {
  return readdirSync(files.folder).filter((name) => name.endsWith('.ports'));
}

/** Undefined while the file is still being written. */
function portIn(path: string): number | undefined {
  try {
    const { nats } = JSON.parse(readFileSync(path, 'utf8')) as { nats: string[] };
    return nats[0] === undefined ? undefined : Number(new URL(nats[0]).port);
  } catch {
    return undefined;
  }
}
