// How late retries start: a few hundred that become due within two seconds, with one replica and with two. Run by
// `npm run bench:schedule`.
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { EndpointService, EnvelopeSchema, eventSubject, newEvent } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import pg from 'pg';
import { openStack, percentile } from './stack.ts';

const endpoints = 100;
/** A fifth failure in a row would open the endpoint's breaker, and its retries would wait for that. */
const perEndpoint = 4;
/** As many days behind as are kept: each look for what is due goes through their partitions too. */
const daysBehind = 30;
const dayMs = 86_400_000;

for (const replicas of [1, 2]) {
  const late = await latenessWith(replicas);
  const ms = (share: number) => `${Math.round(percentile(late, share))} ms`;
  const figures = `p50 ${ms(0.5)}  p95 ${ms(0.95)}  p99 ${ms(0.99)}  max ${ms(1)}`;
  process.stdout.write(`${late.length} retries, ${replicas} replica${replicas > 1 ? 's' : ''}: start after due ${figures}\n`);
}

/** From when each retry was due until it started, in milliseconds, sorted. */
async function latenessWith(replicas: number): Promise<number[]> {
  const { databaseUrl, publisher, rpc, sink, close } = await openStack({ replicas });
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await makeDaysBehind(client);
    for (let i = 0; i < endpoints; i++) {
      const caller = { workspaceId: `ws_bench${i}` };
      await rpc.client(EndpointService).createEndpoint({ caller, url: `${sink.url}/${i}`, eventTypes: ['*'], replyPublicKey: createReplyKey().publicKey });
    }
    void sink.expect(Infinity, { fault: 'reset', below: endpoints, countFrom: endpoints });
    for (let i = 0; i < endpoints * perEndpoint; i++) {
      const event = newEvent({ type: 'page.created', workspaceId: `ws_bench${i % endpoints}`, createdAt: new Date(), data: { pageId: 'page_1' } });
      await publisher.publish({ subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id });
    }
    await until(client, `status = 'retrying' AND attempts = 1`);
    const planned = await client.query<{ id: string; at: Date }>('SELECT id, next_attempt_at AS at FROM deliveries');
    void sink.expect(Infinity);
    await until(client, `status = 'succeeded' AND attempts = 2`);
    const started = await client.query<{ id: string; at: Date }>('SELECT delivery_id AS id, started_at AS at FROM attempts WHERE number = 2');
    const startOf = new Map(started.rows.map(({ id, at }) => [id, at.getTime()]));
    return planned.rows.map(({ id, at }) => startOf.get(id)! - at.getTime()).sort((a, b) => a - b);
  } finally {
    await client.end();
    await close();
  }
}

async function makeDaysBehind(client: pg.Client): Promise<void> {
  // Today and yesterday are there.
  for (let ago = 2; ago <= daysBehind; ago++) {
    const [from, to] = [ago, ago - 1].map((days) => new Date(Date.now() - days * dayMs).toISOString().slice(0, 10));
    for (const table of ['events', 'deliveries', 'attempts']) {
      await client.query(`CREATE TABLE ${table}_${from!.replaceAll('-', '')} PARTITION OF ${table} FOR VALUES FROM ('${from}') TO ('${to}')`);
    }
  }
}

/** Resolves when all deliveries are in a state. @throws Error when some passed it by: a retry was due before all had failed */
async function until(client: pg.Client, state: string): Promise<void> {
  for (const giveUpAt = Date.now() + 30_000; Date.now() < giveUpAt; await sleep(100)) {
    const { rows } = await client.query<{ count: number }>(`SELECT count(*)::integer AS count FROM deliveries WHERE ${state}`);
    if (rows[0]!.count === endpoints * perEndpoint) return;
  }
  throw new Error(`Not all deliveries were at the same time such that ${state}.`);
}
