// How fast the dispatcher is, beside the ceiling of the same run: bare undici POSTs with the same body and the same two
// signatures, to the same sink. Run by `npm run bench:dispatcher`; figures are this machine's, ratios are what counts.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { EndpointService, EnvelopeSchema, eventSubject, newEvent } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { propagation } from '@opentelemetry/api';
import pg from 'pg';
import { Pool } from 'undici';
import { cpuMs } from './cpu.ts';
import { median, openStack, percentile } from './stack.ts';

const events = Number(process.env.BENCH_EVENTS ?? 20_000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const inFlight = 64;
const endpoints = Number(process.env.BENCH_ENDPOINTS ?? 50);
const replicas = Number(process.env.BENCH_REPLICAS ?? 1);
const filler = 'x'.repeat(700);
const programs = ['dispatcher', 'postgres', 'nats', 'sink'] as const;
let published = 0;

// No service publishes an event without the trace of what has led to it.
propagation.setGlobalPropagator({
  inject: (_context, carrier, setter) => setter.set(carrier, 'traceparent', `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`),
  extract: (context) => context,
  fields: () => ['traceparent'],
});

const { databaseUrl, publisher, rpc, pids, replaceDispatchers, profile, sink, close } = await openStack({ replicas });
try {
  for (let i = 0; i < endpoints; i++) {
    const caller = { workspaceId: `ws_bench${i}` };
    await rpc.client(EndpointService).createEndpoint({ caller, url: sink.url, eventTypes: ['*'], maxInFlight: inFlight, replyPublicKey: createReplyKey().publicKey });
  }
  if (process.env.BENCH_FLOOR) await replaceDispatchers(new URL('./floor.ts', import.meta.url), { SINK_URL: sink.url });
  await perSecond(5_000, publishAll);
  await perSecond(5_000, postAll);
  await recorded();
  const ratios: { live: number; backlog: number }[] = [];
  for (let round = 1; round <= rounds; round++) ratios.push(await compare(round));
  print('median ratio', { live: median(ratios.map(({ live }) => live)), backlog: median(ratios.map(({ backlog }) => backlog)) });
  await latency(200, 10);
  await recorded();
} finally {
  await close();
}

/** One after the other, so that each has the machine for itself: the ceiling, events as they are published, and a backlog. */
async function compare(round: number): Promise<{ live: number; backlog: number }> {
  const cpuBefore = process.cpuUsage();
  const ceiling = await perSecond(events, postAll);
  const { user, system } = process.cpuUsage(cpuBefore);
  const live = await perSecond(events, publishAll);
  await recorded();
  const { rate: backlog, cost } = await drain();
  const rates = { 'ceiling /s': ceiling, 'live /s': live, 'backlog /s': backlog, 'live ratio': live / ceiling, 'backlog ratio': backlog / ceiling };
  const together = Object.values(cost).reduce((sum, one) => sum + one, 0);
  print(`round ${round}`, { ...rates, 'undici µs': (user + system) / events, ...cost, 'together µs': together, 'at half there are µs': affordable(ceiling / 2) });
  return { live: live / ceiling, backlog: backlog / ceiling };
}

/** What a delivery may take of all processors at such a rate, in microseconds, if none of them is ever idle. */
function affordable(perSecond: number): number {
  return (availableParallelism() * 1_000_000) / perSecond;
}

/** From the first to the last that the sink got. */
async function perSecond(count: number, send: (count: number) => Promise<void>): Promise<number> {
  const reached = sink.expect(count);
  const start = performance.now();
  await Promise.all([send(count), reached]);
  return count / ((performance.now() - start) / 1_000);
}

/** Lets the dispatcher sleep while the events are published, so that publishing takes nothing from it. */
async function drain(): Promise<{ rate: number; cost: Record<string, number> }> {
  const stopProfile = await startProfile();
  for (const pid of pids.dispatchers) process.kill(pid, 'SIGSTOP');
  const reached = sink.expect(events);
  await publishAll(events);
  const before = cpu();
  const start = performance.now();
  for (const pid of pids.dispatchers) process.kill(pid, 'SIGCONT');
  await reached;
  const rate = events / ((performance.now() - start) / 1_000);
  await recorded();
  const after = cpu();
  await stopProfile();
  return { rate, cost: Object.fromEntries(programs.map((name) => [`${name} µs`, ((after[name] - before[name]) * 1_000) / events])) };
}

/** Of all that share the processors, in milliseconds. */
function cpu() {
  const dispatchers = pids.dispatchers.reduce((sum, pid) => sum + cpuMs(pid), 0);
  return { dispatcher: dispatchers, postgres: cpuMs(pids.postgres), nats: cpuMs(pids.nats), sink: cpuMs(sink.pid) };
}

/** BENCH_PROFILE=<folder> leaves a CPU profile there of what the dispatcher does with each backlog. */
async function startProfile(): Promise<() => Promise<void>> {
  const folder = process.env.BENCH_PROFILE;
  if (!folder) return async () => undefined;
  await profile();
  return async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${published}.cpuprofile`), JSON.stringify(await profile()));
  };
}

async function publishAll(count: number): Promise<void> {
  await atOnce(1_000, count, publish);
}

async function publish(): Promise<void> {
  const workspaceId = `ws_bench${published++ % endpoints}`;
  const title = `sent_at=${performance.timeOrigin + performance.now()} ${filler}`;
  const event = newEvent({ type: 'page.created', workspaceId, createdAt: new Date(), data: { pageId: 'page_1', url: 'https://a.site', title } });
  await publisher.publish({ subject: eventSubject(workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id });
}

async function postAll(count: number): Promise<void> {
  const { origin, pathname } = new URL(sink.url);
  const pool = new Pool(origin, { connections: inFlight, pipelining: 1 });
  const body = Buffer.from(JSON.stringify({ id: 'evt_1', type: 'page.created', data: { title: filler } }).padEnd(1_000));
  await atOnce(inFlight, count, async () => {
    const headers = {
      'content-type': 'application/json',
      'x-webhook-signature': `sha256=${createHmac('sha256', 'whsec_x').update(body).digest('hex')}`,
      'webhook-signature': `v1,${createHmac('sha256', 'x').update('evt_1.0.').update(body).digest('base64')}`,
    };
    const response = await pool.request({ path: pathname, method: 'POST', headers, body });
    await response.body.dump();
  });
  await pool.close();
}

/** A steady rate for some seconds, one event at a time. */
async function latency(eventsPerSecond: number, seconds: number): Promise<void> {
  const count = eventsPerSecond * seconds;
  const reached = sink.expect(count);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    await sleep(Math.max(0, start + (i * 1_000) / eventsPerSecond - performance.now()));
    void publish();
  }
  const sorted = (await reached).sort((a, b) => a - b);
  print(`publish to receipt at ${eventsPerSecond}/s, ms`, { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99) });
}

/** A rate with deliveries left unrecorded would not be worth anything. */
async function recorded(): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  let succeeded = 0;
  for (const giveUpAt = performance.now() + 60_000; succeeded < published && performance.now() < giveUpAt; await sleep(20)) {
    const { rows } = await client.query<{ count: number }>(`SELECT count(*)::integer AS count FROM deliveries WHERE status = 'succeeded'`);
    succeeded = rows[0]!.count;
  }
  await client.end();
  if (succeeded !== published) throw new Error(`${succeeded} of ${published} deliveries are recorded`);
}

async function atOnce(limit: number, count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

function print(label: string, figures: Record<string, number>): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value < 100 ? value.toFixed(2) : Math.round(value)}`);
  process.stdout.write(`${label}: ${shown.join('  ')}\n`);
}
