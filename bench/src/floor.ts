// What a dispatcher can't do without, and nothing else: takes events from the stream, signs and sends each to one address, records
// it with the dispatcher's own statement, and acknowledges. No endpoints, filters, lanes, budgets, retries, traces or log lines, and
// its headers are made of constants. `BENCH_FLOOR=1 npm run bench:dispatcher` measures it in the dispatcher's place.
/* eslint-disable @nx/enforce-module-boundaries -- it is made of the dispatcher's own parts */
import { fromBinary } from '@bufbuild/protobuf';
import { EnvelopeSchema, streams, type Envelope } from '@na/contracts';
import { connectBus } from '@na/messaging';
import { createHost, openAcrossWorkspaces, systemClock } from '@na/service-host';
import { AckPolicy, type JsMsg } from '@nats-io/jetstream';
import { Pool } from 'undici';
import { insertDeliveries } from '@na/webhook-dispatcher/deliveries/attempt-statements';
import type { AttemptedDelivery, DueDelivery } from '@na/webhook-dispatcher/deliveries/delivery';
import { exchange, ExchangeProgress } from '@na/webhook-dispatcher/deliveries/http-exchange';
import { attemptId, deliveryId } from '@na/webhook-dispatcher/deliveries/ids';
import { eventTime, renderPayload } from '@na/webhook-dispatcher/deliveries/payload';
import { sign } from '@na/webhook-dispatcher/deliveries/sign';

/** The environment of the dispatcher that it stands in for, and where to send to. */
const { DATABASE_URL: databaseUrl = '', NATS_URL: natsUrl = '', SINK_URL: sinkUrl = '' } = process.env;
const connections = 64;
const batchSize = 200;
const batchesInHand = 5;
const secrets = { current: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', previous: [] };

const { host } = createHost('bench-floor', 'warn', systemClock);
const database = await openAcrossWorkspaces({ databaseUrl, databasePoolSize: batchesInHand, schema: 'webhook_dispatcher', entities: [], migrations: [] }, host);
const { js, manager } = await connectBus({ natsUrl, streamReplicas: 1 }, host);
const { origin, pathname: path } = new URL(sinkUrl);
const pool = new Pool(origin, { connections, pipelining: 1 });

const name = 'bench-floor';
await manager.consumers.add(streams.events.name, { durable_name: name, ack_policy: AckPolicy.Explicit, max_ack_pending: 3_000 });
const consumer = await js.consumers.get(streams.events.name, name);
const waiting: JsMsg[] = [];
let inHand = 0;
const take = (message: JsMsg): void => {
  waiting.push(message);
  setImmediate(go);
};
await consumer.consume({ max_messages: 1_500, callback: take });
process.send!('ready');

function go(): void {
  if (waiting.length === 0 || inHand >= batchesInHand) return;
  inHand += 1;
  void deliver(waiting.splice(0, batchSize)).then(() => {
    inHand -= 1;
    go();
  });
}

async function deliver(messages: JsMsg[]): Promise<void> {
  const attempted = await Promise.all(messages.map(({ data }) => attempt(fromBinary(EnvelopeSchema, data))));
  await insertDeliveries(database.manager, attempted);
  for (const message of messages) message.ack();
}

async function attempt(event: Envelope): Promise<AttemptedDelivery> {
  const eventAt = eventTime(event);
  const payload = renderPayload(event);
  const startedAt = new Date();
  const start = performance.now();
  const headers = { ...sign(event.id, payload, secrets, startedAt), 'content-type': 'application/json' };
  const answer = await exchange(pool, { path, method: 'POST', headers, body: payload }, { timeoutMs: 10_000, maxBodyBytes: 65_536 }, new ExchangeProgress());
  const id = deliveryId(event.id, 'we_floor', eventAt);
  const delivery = {
    id, eventAt, workspaceId: event.workspaceId, eventId: event.id, eventType: event.type, attempts: 0, maxAttempts: 1, takenAt: startedAt,
    target: { endpointId: 'we_floor' }, unwritten: { event: { event, eventAt, payload, traceparent: null } },
  };
  return {
    delivery: delivery as unknown as DueDelivery, attemptId: attemptId(id, startedAt), startedAt, endedAt: new Date(), request: { url: sinkUrl, headers },
    outcome: { kind: 'answered', status: answer.status, headers: {}, body: answer.body.toString(), durationMs: performance.now() - start, phases: {} },
    next: { kind: 'succeeded' },
  };
}
