// What the gateway adds to a request: authenticated requests a second, and CPU time of each, with the verdict remembered,
// beside bare Fastify and bare Nest with the same answer; and how long a verdict takes that is not remembered. Run by
// `npm run bench:gateway`. On a machine that is busy with other things the CPU time is the figure to go by.
import { fork, type ChildProcess } from 'node:child_process';
import { Client } from 'undici';
import { cpuMs } from './cpu.ts';
import { openGatewayStack, type BenchKey } from './gateway-stack.ts';
import type { LoadOrder, LoadResult } from './load.ts';
import { median, percentile } from './stack.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const connections = Number(process.env.BENCH_CONNECTIONS ?? 64);
const missedKeys = 300;
const path = '/api/v1/event-types';

interface Server {
  url: string;
  pid: number;
  headers: Record<string, string>;
}

interface Figures {
  perSecond: number;
  /** Of the server, for one request. */
  cpuMicros: number;
}

const { url, pid, newKeys, close } = await openGatewayStack();
const children: ChildProcess[] = [];
try {
  const [key] = await newKeys(1);
  const body = (await (await fetch(url + path, { headers: key!.headers })).json()) as object;
  print(`answer: ${JSON.stringify(body).length} bytes of JSON`);
  const servers = {
    'bare Fastify': await bare('fastify', body),
    'bare Nest': await bare('nest', body),
    gateway: { url, pid, headers: key!.headers },
    'bare Nest, {}': await bare('nest', {}),
  };
  await compare(servers);
  await missLatency(await newKeys(missedKeys));
} finally {
  for (const child of children) child.kill();
  await close();
}

async function compare(servers: Record<string, Server>): Promise<void> {
  const loader = start('./load.ts');
  const measured: Record<string, Figures[]> = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [name, server] of Object.entries(servers)) {
      const figures = await load(loader, server);
      // The first round warms up.
      if (round > 0) (measured[name] ??= []).push(figures);
    }
  }
  const typical = (name: string) => ({
    perSecond: median(measured[name]!.map(({ perSecond }) => perSecond)),
    cpuMicros: median(measured[name]!.map(({ cpuMicros }) => cpuMicros)),
  });
  const nest = typical('bare Nest');
  for (const name of Object.keys(servers)) {
    const { perSecond, cpuMicros } = typical(name);
    print(`${name}: ${perSecond.toFixed(0)}/s (${(perSecond / nest.perSecond).toFixed(2)} of bare Nest), ${cpuMicros.toFixed(0)} µs CPU a request`);
  }
  const added = typical('gateway').cpuMicros - nest.cpuMicros;
  const small = typical('bare Nest, {}').cpuMicros;
  print(`the gateway adds ${added.toFixed(0)} µs CPU: ${(nest.cpuMicros / (nest.cpuMicros + added)).toFixed(2)} of bare Nest, ${(small / (small + added)).toFixed(2)} were the answer {}`);
}

async function load(loader: ChildProcess, { url, pid, headers }: Server): Promise<Figures> {
  const before = cpuMs(pid);
  loader.send({ url, headers, path, connections, seconds } satisfies LoadOrder);
  const { answered, refused, perSecond } = await new Promise<LoadResult>((resolve) => loader.once('message', resolve));
  if (refused > 0) throw new Error(`${url} refused ${refused} requests.`);
  return { perSecond, cpuMicros: ((cpuMs(pid) - before) * 1_000) / answered };
}

/** One request after the other, so that nothing waits: the first with each key asks key-management, the second does not. */
async function missLatency(keys: BenchKey[]): Promise<void> {
  const client = new Client(url);
  const timed = async ({ headers }: BenchKey) => {
    const begin = performance.now();
    const { body } = await client.request({ method: 'GET', path, headers });
    await body.dump();
    return performance.now() - begin;
  };
  const [missed, remembered]: [number[], number[]] = [[], []];
  for (const key of keys) {
    missed.push(await timed(key));
    remembered.push(await timed(key));
  }
  await client.close();
  for (const [name, times] of Object.entries({ 'verdict asked for': missed, 'verdict remembered': remembered })) {
    const sorted = times.sort((a, b) => a - b);
    print(`${name}: p50 ${percentile(sorted, 0.5).toFixed(2)} ms, p99 ${percentile(sorted, 0.99).toFixed(2)} ms`);
  }
}

async function bare(kind: 'fastify' | 'nest', body: object): Promise<Server> {
  const child = start('./bare-server.ts', kind);
  child.send(body);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number)));
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, headers: {} };
}

function start(program: string, ...args: string[]): ChildProcess {
  const child = fork(new URL(program, import.meta.url), args);
  children.push(child);
  return child;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
