// What bad endpoints cost the good ones: 100 endpoints, a steady rate to all, and the latency of 50 that are always well,
// without bad ones, with 1 and with 50 that hang, drip or reset. Run by `npm run bench:isolation`.
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { EndpointService, EnvelopeSchema, eventSubject, newEvent } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { openStack, percentile } from './stack.ts';
import type { Fault } from './sink.ts';

const endpoints = 100;
const well = 50;
const perSecond = Number(process.env.BENCH_RATE ?? 200);
const seconds = Number(process.env.BENCH_SECONDS ?? 10);

const { publisher, rpc, sink, close } = await openStack();
try {
  for (let i = 0; i < endpoints; i++) {
    const caller = { workspaceId: workspaceOf(i) };
    await rpc.client(EndpointService).createEndpoint({ caller, url: `${sink.url}/${i}`, eventTypes: ['*'], replyPublicKey: createReplyKey().publicKey });
  }
  await run(0, 'hang');
  const before = await run(0, 'hang');
  for (const fault of ['reset', 'drip', 'hang'] satisfies Fault[]) {
    for (const bad of [1, 50]) {
      const after = await run(bad, fault);
      print(`${String(bad).padStart(2)} of 100 ${fault}`, after, before);
    }
  }
  print('none, once more', await run(0, 'hang'), before);
} finally {
  await close();
}

interface Latency {
  p50: number;
  p99: number;
}

/** Sends to all endpoints in turn; the first `bad` ones misbehave; measures the last fifty. */
async function run(bad: number, fault: Fault): Promise<Latency> {
  const rounds = Math.ceil((perSecond * seconds) / endpoints);
  const reached = sink.expect(rounds * well, { fault, below: bad, countFrom: endpoints - well });
  const start = performance.now();
  for (let i = 0; i < rounds * endpoints; i++) {
    await sleep(Math.max(0, start + (i * 1_000) / perSecond - performance.now()));
    void publish(i % endpoints);
  }
  const sorted = (await reached).sort((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

async function publish(endpoint: number): Promise<void> {
  const title = `sent_at=${performance.timeOrigin + performance.now()}`;
  const data = { pageId: 'page_1', url: 'https://a.site', title };
  const event = newEvent({ type: 'page.created', workspaceId: workspaceOf(endpoint), createdAt: new Date(), data });
  await publisher.publish({ subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id });
}

function workspaceOf(endpoint: number): string {
  return `ws_bench${endpoint}`;
}

function print(label: string, { p50, p99 }: Latency, before: Latency): void {
  process.stdout.write(`${label}: p50 ${p50.toFixed(2)} ms (${(p50 / before.p50).toFixed(2)} ×)  p99 ${p99.toFixed(2)} ms (${(p99 / before.p99).toFixed(2)} ×)\n`);
}
