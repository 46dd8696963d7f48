// What the benchmarks of the gateway run on: PostgreSQL, nats-server, key-management and one gateway, each a process, and a
// workspace with keys made through the public API.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDatabase, provision, serviceSpecs, startNats, startPostgres, type ServiceSpec } from '@na/local-stack';
import { createHost, systemClock, type Host } from '@na/service-host';

const key = () => randomBytes(32).toString('base64');
const operatorToken = randomBytes(32).toString('hex');

/** As wide as they can be set: the benchmarks ask more than any client may. */
const wideLimits = { RATE_LIMIT: '100000', RATE_LIMIT_WINDOW_SECONDS: '1', FAILED_CREDENTIALS_PER_MINUTE: '100000' };

export async function openGatewayStack() {
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
  const specs = serviceSpecs({ databaseUrls, natsUrl: nats.url, gatewayPort: 0, operatorToken, mailDir: join(folder, 'mail'), secrets });
  const start = (name: string) => startService(specs.find((spec) => spec.name === name)!, host);
  await start('key-management');
  const { httpPort, pid } = await start('gateway');
  const url = `http://127.0.0.1:${httpPort}`;
  return { url, pid, newKeys: await keyMaker(url), close };
}

/** BENCH_PROFILE=<folder> leaves a CPU profile of the gateway there. */
async function startService({ name, program, nodeOptions, env }: ServiceSpec, host: Host): Promise<{ httpPort?: number; pid: number }> {
  const folder = name === 'gateway' ? process.env.BENCH_PROFILE : undefined;
  const profiling = folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
  const child = fork(program, { execArgv: [...nodeOptions, ...profiling], env: { ...env, ...wideLimits }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  host.onStop(name, () => {
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    return exited;
  });
  const { httpPort } = await new Promise<{ httpPort?: number }>((resolve) => child.once('message', resolve));
  return { httpPort, pid: child.pid! };
}

export interface BenchKey {
  credential: string;
  headers: Record<string, string>;
}

async function keyMaker(url: string): Promise<(count: number) => Promise<BenchKey[]>> {
  const operator = { authorization: `Bearer ${operatorToken}` };
  const { id } = await post<{ id: string }>(`${url}/api/v1/workspaces`, operator, { name: 'Bench' });
  const workspace = { 'x-workspace-id': id };
  return async (count) => {
    const keys: BenchKey[] = [];
    for (let i = 0; i < count; i++) {
      const { secret } = await post<{ secret: string }>(`${url}/api/v1/keys`, { ...operator, ...workspace }, { name: `Bench ${i}`, access: 'read_only' });
      keys.push({ credential: secret, headers: { authorization: `Bearer ${secret}`, ...workspace } });
    }
    return keys;
  };
}

async function post<T>(url: string, headers: Record<string, string>, body: object): Promise<T> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
