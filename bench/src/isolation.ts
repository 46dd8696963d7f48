// What bad endpoints cost the good ones: a steady rate to 100 endpoints, and the latency of 50 that are always well, while of
// the 50 others none, one or all hang, drip or reset. Run by `npm run bench:isolation`. The others are new in each run, so
// that what one run leaves behind is not in the next, and have a server of their own: what it costs to misbehave is not in the
// figures. Runs with and without faults take turns, and the medians of the rounds
// are compared: a single run's p99 is that of a dozen events, which whatever else the machine does can double.
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { EndpointService, EnvelopeSchema, eventSubject, newEvent } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { cpuMs } from './cpu.ts';
import { median, openStack, percentile } from './stack.ts';
import type { Fault } from './sink.ts';

const each = 50;
const perSecond = Number(process.env.BENCH_RATE ?? 200);
const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);

interface Endpoint {
  workspaceId: string;
  id: string;
}

/** Latency of the measured endpoints and lateness of the dispatcher's event loop, in milliseconds; CPU milliseconds a second. */
interface Run {
  p50: number;
  p99: number;
  loop99: number;
  dispatcher: number;
  postgres: number;
}

const { publisher, rpc, pids, loopDelay, sink, newSink, close } = await openStack();
const badSink = await newSink();
const client = rpc.client(EndpointService);
const results = new Map<string, Run[]>();
let workspaces = 0;
try {
  const measured = await createEndpoints(sink.url);
  await run(measured, 0, 'hang');
  for (let round = 0; round < rounds; round++) {
    for (const fault of ['reset', 'drip', 'hang'] satisfies Fault[]) {
      for (const bad of [0, 1, each]) {
        const label = bad === 0 ? 'none' : `${bad} of 100 ${fault}`;
        results.set(label, [...(results.get(label) ?? []), await run(measured, bad, fault)]);
      }
    }
  }
  for (const [label, runs] of results) print(label, runs, results.get('none')!);
} finally {
  await close();
}

/** Sends to all in turn; of the endpoints that are not measured the first `bad` misbehave. */
async function run(measured: Endpoint[], bad: number, fault: Fault): Promise<Run> {
  const others = await createEndpoints(badSink.url);
  const turns = Math.ceil((perSecond * seconds) / (2 * each));
  badSink.misbehave({ fault, below: bad, countFrom: 0 });
  const reached = sink.expect(turns * each);
  const all = measured.flatMap((endpoint, index) => [endpoint, others[index]!]);
  await loopDelay();
  const cpuBefore = { dispatcher: cpuMs(pids.dispatcher), postgres: cpuMs(pids.postgres) };
  const start = performance.now();
  for (let i = 0; i < turns * all.length; i++) {
    await sleep(Math.max(0, start + (i * 1_000) / perSecond - performance.now()));
    void publish(all[i % all.length]!.workspaceId);
  }
  const sorted = (await reached).sort((a, b) => a - b);
  const elapsed = (performance.now() - start) / 1_000;
  const cpuOf = (name: keyof typeof cpuBefore) => (cpuMs(pids[name]) - cpuBefore[name]) / elapsed;
  const cost = { loop99: (await loopDelay()).p99, dispatcher: cpuOf('dispatcher'), postgres: cpuOf('postgres') };
  for (const { workspaceId, id } of others) await client.deleteEndpoint({ caller: { workspaceId }, id });
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), ...cost };
}

/** Each in a workspace of its own, under a path of its own. */
async function createEndpoints(sinkUrl: string): Promise<Endpoint[]> {
  const created: Endpoint[] = [];
  for (let i = 0; i < each; i++) {
    const workspaceId = `ws_bench${workspaces++}`;
    const url = `${sinkUrl}/${i}`;
    const { endpoint } = await client.createEndpoint({ caller: { workspaceId }, url, eventTypes: ['*'], replyPublicKey: createReplyKey().publicKey });
    created.push({ workspaceId, id: endpoint!.id });
  }
  return created;
}

async function publish(workspaceId: string): Promise<void> {
  const title = `sent_at=${performance.timeOrigin + performance.now()}`;
  const data = { pageId: 'page_1', url: 'https://a.site', title };
  const event = newEvent({ type: 'page.created', workspaceId, createdAt: new Date(), data });
  await publisher.publish({ subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id });
}

function print(label: string, runs: Run[], none: Run[]): void {
  const figure = (of: keyof Run) => {
    const all = runs.map((run) => run[of]);
    const ratio = median(all) / median(none.map((run) => run[of]));
    return `${of} ${median(all).toFixed(2)}, ${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)} (${ratio.toFixed(2)} ×)`;
  };
  process.stdout.write(`${label.padEnd(16)} ${(['p50', 'p99', 'loop99', 'dispatcher', 'postgres'] as const).map(figure).join('  ')}\n`);
}
