// What 100,000 deliveries that wait for one endpoint that hangs cost: the dispatcher's memory before, while they come, while
// they wait and after they have gone out, and the latency of an endpoint that is well. Run by `npm run bench:dead-endpoint`.
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { EndpointService, EnvelopeSchema, eventSubject, newEvent } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import pg from 'pg';
import { openStack, percentile } from './stack.ts';

const waiting = Number(process.env.BENCH_WAITING ?? 100_000);
/** Below what the dispatcher takes in: what comes faster waits in the stream, events for all endpoints alike. */
const fillPerSecond = Number(process.env.BENCH_FILL_RATE ?? 1_000);
const perSecond = 100;
const seconds = 20;
const [dead, well] = [0, 1];
const filler = 'x'.repeat(700);

const { databaseUrl, publisher, rpc, memory, sink, close } = await openStack();
const client = new pg.Client({ connectionString: databaseUrl });
await client.connect();
try {
  for (const endpoint of [dead, well]) {
    const caller = { workspaceId: workspaceOf(endpoint) };
    const settings = { url: `${sink.url}/${endpoint}`, eventTypes: ['*'], timeoutMs: 5_000 };
    await rpc.client(EndpointService).createEndpoint({ caller, ...settings, replyPublicKey: createReplyKey().publicKey });
  }
  await latency();
  await print('before', await latency());
  const filled = fill();
  await print(`while ${waiting} come`, await latency());
  await filled;
  await untilUnfinished((count) => count >= waiting);
  await print(`while ${waiting} wait`, await latency());
  void sink.expect(Infinity);
  const start = performance.now();
  await untilUnfinished((count) => count === 0);
  process.stdout.write(`once it answered again, all were delivered within ${Math.round((performance.now() - start) / 1_000)} s\n`);
  await print('after', await latency());
} finally {
  await client.end();
  await close();
}

/** Of the endpoint that is well, at a steady rate, sorted. */
async function latency(): Promise<number[]> {
  const count = perSecond * seconds;
  const reached = sink.expect(count, { fault: 'hang', below: well, countFrom: well });
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    await sleep(Math.max(0, start + (i * 1_000) / perSecond - performance.now()));
    void publish(well);
  }
  return (await reached).sort((a, b) => a - b);
}

async function fill(): Promise<void> {
  const start = performance.now();
  for (let i = 0; i < waiting; i += 100) {
    await sleep(Math.max(0, start + (i * 1_000) / fillPerSecond - performance.now()));
    await Promise.all(Array.from({ length: 100 }, () => publish(dead)));
  }
}

async function publish(endpoint: number): Promise<void> {
  const title = `sent_at=${performance.timeOrigin + performance.now()} ${filler}`;
  const data = { pageId: 'page_1', url: 'https://a.site', title };
  const event = newEvent({ type: 'page.created', workspaceId: workspaceOf(endpoint), createdAt: new Date(), data });
  await publisher.publish({ subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id });
}

async function untilUnfinished(isReached: (count: number) => boolean): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::integer AS count FROM deliveries WHERE due_at IS NOT NULL');
    if (isReached(rows[0]!.count)) return;
    await sleep(500);
  }
}

function workspaceOf(endpoint: number): string {
  return `ws_bench${endpoint}`;
}

async function print(label: string, sorted: number[]): Promise<void> {
  const { rss, heapUsed, external } = await memory();
  const mb = (bytes: number) => `${Math.round(bytes / 1_048_576)} MB`;
  const ms = (share: number) => `${percentile(sorted, share).toFixed(1)} ms`;
  const figures = `RSS ${mb(rss)}  heap ${mb(heapUsed)}  external ${mb(external)}`;
  process.stdout.write(`${label.padEnd(22)} ${figures}  the other endpoint: p50 ${ms(0.5)}  p99 ${ms(0.99)}\n`);
}
