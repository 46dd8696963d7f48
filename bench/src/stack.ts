// What a benchmark runs on: PostgreSQL and nats-server as durable as in a deployment, the dispatcher as a process, a sink.
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDatabase, provision, serviceSpecs, startNats, startPostgres } from '@na/local-stack';
import { connectBus, Publisher, RpcChannel } from '@na/messaging';
import { createHost, everyWorkspace, systemClock, type Host } from '@na/service-host';
import type { LoopDelay, ProbeRequest } from './probe-request.ts';
import type { SinkMessage, SinkOrder } from './sink.ts';

const key = () => randomBytes(32).toString('base64');

export async function openStack({ replicas = 1 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'na-bench-'));
  const { host, close } = createHost('bench', 'warn', systemClock);
  host.onStop('folder', () => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres') });
  host.onStop('postgres', () => postgres.stop());
  const nats = await startNats({ dataDir: join(folder, 'nats') });
  host.onStop('nats', () => nats.stop());

  const passwords = { gateway: 'bench', 'key-management': 'bench', reporting: 'bench', 'webhook-dispatcher': 'bench' };
  const databaseUrls = await provision(await ensureDatabase(postgres.url, 'bench'), passwords);
  const secrets = { KEY_PEPPERS: `1:${key()}`, WEBHOOK_SEALING_KEYS: `1:${key()}`, CURSOR_KEY: key(), rolePasswords: passwords };
  const specs = serviceSpecs({ databaseUrls, natsUrl: nats.url, gatewayPort: 0, operatorToken: '', mailDir: join(folder, 'mail'), secrets });
  const { program, nodeOptions, env } = specs.find(({ name }) => name === 'webhook-dispatcher')!;
  const start = async (path: string | URL, more: NodeJS.ProcessEnv = {}) => {
    const child = fork(path, { execArgv: [...nodeOptions, ...probe], env: { ...env, ...settingsFromHere(), ...more } });
    host.onStop('dispatcher', () => ended(child));
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`${String(path)} ended with ${code} before it was ready`)));
    });
    return child;
  };
  const dispatchers = [await start(program)];
  while (dispatchers.length < replicas) dispatchers.push(await start(program));

  const bus = await connectBus({ natsUrl: nats.url, streamReplicas: 1 }, host);
  const rpc = await RpcChannel.connect(nats.url, host);
  /** Another program in the place of the dispatchers, with their environment; without one, a dispatcher that starts anew. */
  const replaceDispatchers = async (other: string | URL = program, more: NodeJS.ProcessEnv = {}) => {
    await Promise.all(dispatchers.map(ended));
    const child = await start(other, more);
    dispatchers.splice(0, dispatchers.length, child);
    Object.assign(pids, { dispatcher: child.pid!, dispatchers: [child.pid!] });
  };
  const pids = { dispatcher: dispatchers[0]!.pid!, dispatchers: dispatchers.map(({ pid }) => pid!), postgres: postgres.pid, nats: nats.pid };
  const memory = () => ask<NodeJS.MemoryUsage>(dispatchers[0]!, 'memory');
  const loopDelay = () => ask<LoopDelay>(dispatchers[0]!, 'loop');
  const profile = () => ask<object>(dispatchers[0]!, 'profile');
  return { databaseUrl: withEveryWorkspace(databaseUrls['webhook-dispatcher']), publisher: new Publisher(bus), rpc, pids, replaceDispatchers, memory, loopDelay, profile, sink: await startSink(host), newSink: () => startSink(host), close };
}

/** A benchmark looks at the rows of all workspaces at once. */
function withEveryWorkspace(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c na.workspace_id=${everyWorkspace}`);
  return url.href;
}

const probe = ['--import', new URL('./probe.ts', import.meta.url).href];

function ask<Answer>(child: ChildProcess, request: ProbeRequest): Promise<Answer> {
  const answer = new Promise<Answer>((resolve) => child.once('message', (message) => resolve(message as Answer)));
  child.send(request);
  return answer;
}

async function startSink(host: Host) {
  const child = fork(new URL('./sink.ts', import.meta.url));
  host.onStop('sink', () => ended(child));
  const message = () => new Promise<SinkMessage>((resolve) => child.once('message', resolve));
  const listening = (await message()) as Extract<SinkMessage, { type: 'listening' }>;
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${listening.port}/hook`,
    /** From now on treats such paths badly, and counts nothing. */
    misbehave: (faults: SinkOrder['faults']) => child.send({ expect: Number.MAX_SAFE_INTEGER, faults } satisfies SinkOrder),
    /** Resolves with the latency of each, in milliseconds, once so many requests have come from now on. */
    expect: (count: number, faults?: SinkOrder['faults']): Promise<number[]> => {
      child.send({ expect: count, faults } satisfies SinkOrder);
      return message().then((reached) => (reached as Extract<SinkMessage, { type: 'reached' }>).latenciesMs);
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  return exited;
}

export function median(values: number[]): number {
  return percentile([...values].sort((a, b) => a - b), 0.5);
}

export function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Lets a run try other settings: whatever begins with WEBHOOK_ is passed on. */
function settingsFromHere(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('WEBHOOK_')));
}
