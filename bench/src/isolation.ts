// What bad endpoints cost the good ones: a steady rate to 100 endpoints, and the latency of 50 that are always well, while of
// the 50 others none, one or all hang, drip or reset. Run by `npm run bench:isolation`. The others are new in each run, so
// that what one run leaves behind is not in the next. Runs with and without faults take turns, and the medians of the rounds
// are compared: a single run's p99 is that of a dozen events, which whatever else the machine does can double.
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { EndpointService, EnvelopeSchema, eventSubject, newEvent } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { median, openStack, percentile } from './stack.ts';
import type { Fault } from './sink.ts';

const each = 50;
const perSecond = Number(process.env.BENCH_RATE ?? 200);
const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
/** Paths from here on are those of the endpoints that are measured. */
const firstMeasured = 1_000;

interface Endpoint {
  workspaceId: string;
  id: string;
}

interface Latency {
  p50: number;
  p99: number;
}

const { publisher, rpc, sink, close } = await openStack();
const client = rpc.client(EndpointService);
const results = new Map<string, Latency[]>();
let workspaces = 0;
try {
  const measured = await createEndpoints(firstMeasured);
  await run(measured, 0, 'hang');
  for (let round = 0; round < rounds; round++) {
    for (const fault of ['reset', 'drip', 'hang'] satisfies Fault[]) {
      for (const bad of [0, 1, each]) {
        const label = bad === 0 ? 'none' : `${bad} of 100 ${fault}`;
        results.set(label, [...(results.get(label) ?? []), await run(measured, bad, fault)]);
      }
    }
  }
  for (const [label, latencies] of results) print(label, latencies, results.get('none')!);
} finally {
  await close();
}

/** Sends to all in turn; of the endpoints that are not measured the first `bad` misbehave. */
async function run(measured: Endpoint[], bad: number, fault: Fault): Promise<Latency> {
  const others = await createEndpoints(0);
  const turns = Math.ceil((perSecond * seconds) / (2 * each));
  const reached = sink.expect(turns * each, { fault, below: bad, countFrom: firstMeasured });
  const all = measured.flatMap((endpoint, index) => [endpoint, others[index]!]);
  const start = performance.now();
  for (let i = 0; i < turns * all.length; i++) {
    await sleep(Math.max(0, start + (i * 1_000) / perSecond - performance.now()));
    void publish(all[i % all.length]!.workspaceId);
  }
  const sorted = (await reached).sort((a, b) => a - b);
  for (const { workspaceId, id } of others) await client.deleteEndpoint({ caller: { workspaceId }, id });
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** Each in a workspace of its own, under paths counted from `firstPath`. */
async function createEndpoints(firstPath: number): Promise<Endpoint[]> {
  const created: Endpoint[] = [];
  for (let i = 0; i < each; i++) {
    const workspaceId = `ws_bench${workspaces++}`;
    const url = `${sink.url}/${firstPath + i}`;
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

function print(label: string, latencies: Latency[], none: Latency[]): void {
  const figure = (quantile: keyof Latency) => {
    const all = latencies.map((latency) => latency[quantile]);
    const ratio = median(all) / median(none.map((latency) => latency[quantile]));
    return `${quantile} ${median(all).toFixed(2)} ms, ${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)} (${ratio.toFixed(2)} ×)`;
  };
  process.stdout.write(`${label.padEnd(16)} ${figure('p50')}  ${figure('p99')}\n`);
}
