import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { answer, eventually, hang, WebhookReceiver } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';
import { DispatcherProcess, environmentOn } from './dispatcher-process.js';
import { ExportedMetrics, telemetryOptions, valueOf } from './exported-metrics.js';

let dispatcher: DispatcherBed;
let running: DispatcherProcess;
let metrics: ExportedMetrics;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.withoutDispatcher();
  metrics = await ExportedMetrics.onFreePort();
  running = new DispatcherProcess({ ...environmentOn(dispatcher), ...metrics.environment }, telemetryOptions);
  await running.start(dispatcher.bed.clock.now());
});
afterAll(async () => {
  await running.kill();
  await dispatcher.stop();
});
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

async function publishToNewEndpoint(settings: { timeoutMs?: number; maxAttempts?: number } = {}): Promise<string> {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url, settings);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  return workspaceId;
}

/** Resolves once a metric shows so much. */
function until(name: string, labels: Record<string, string>, value: number): Promise<void> {
  return eventually(async () => expect(valueOf(await metrics.collect(), name, labels)).toBe(value));
}

test('a first attempt is counted by what came of it, and timed from its event to its record', async () => {
  const timed = ['webhook_attempt_duration_count', 'webhook_attempt_wait_count', 'webhook_event_delay_count', 'webhook_record_duration_count'];
  await until('webhook_attempts_total', { outcome: '2xx', turn: 'first' }, 0);
  await publishToNewEndpoint();
  await until('webhook_attempts_total', { outcome: '2xx', turn: 'first' }, 1);
  for (const name of timed) await until(name, {}, 1);
});

test('attempts without an answer are counted by why, and retries apart from first attempts', async () => {
  receiver.behave(hang);
  const workspaceId = await publishToNewEndpoint({ timeoutMs: 500 });
  await until('webhook_attempts_total', { outcome: 'timeout', turn: 'first' }, 1);
  const delays = valueOf(await metrics.collect(), 'webhook_event_delay_count')!;
  receiver.behave(answer(503));
  dispatcher.moveTo(await dispatcher.deliveryIn(workspaceId, 'retrying', 1));
  await running.setTime(dispatcher.bed.clock.now());
  await until('webhook_attempts_total', { outcome: '5xx', turn: 'retry' }, 1);
  await until('webhook_event_delay_count', {}, delays);
  await until('webhook_schedule_unfinished', { status: 'retrying' }, 1);
  await until('webhook_lanes_paused', {}, 1);
});

test('attempts in flight, and deliveries and events that are not done with, are seen while they are', async () => {
  const held: (() => void)[] = [];
  receiver.behave((response) => void held.push(() => response.end()));
  await publishToNewEndpoint({ timeoutMs: 20_000 });
  await until('webhook_lanes_in_flight', {}, 1);
  await until('webhook_schedule_unfinished', { status: 'pending' }, 1);
  held.forEach((end) => end());
  for (const name of ['webhook_lanes_in_flight', 'webhook_record_backlog', 'webhook_events_unread', 'webhook_events_unacknowledged']) await until(name, {}, 0);
  await until('webhook_schedule_unfinished', { status: 'pending' }, 0);
});

test('the lag of the schedule is how long a delivery that nobody takes has been due', async () => {
  receiver.behave(answer(500));
  const workspaceId = await publishToNewEndpoint();
  const delivery = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  await dispatcher.sql.query('BEGIN');
  await dispatcher.sql.query('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [delivery.id]);
  dispatcher.moveTo(delivery, -42_000);
  await running.setTime(dispatcher.bed.clock.now());
  await until('webhook_schedule_lag', {}, 42);
  await dispatcher.sql.query('ROLLBACK');
  // What was locked is found at the next look, which time brings.
  dispatcher.bed.clock.advance(1_000);
  await running.setTime(dispatcher.bed.clock.now());
  await until('webhook_schedule_lag', {}, 0);
});

test('while the database hangs, metrics still come, and the lag of the schedule grows', async () => {
  await dispatcher.sql.query('BEGIN');
  await dispatcher.sql.query('LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE');
  dispatcher.bed.clock.advance(50_000);
  await running.setTime(dispatcher.bed.clock.now());
  const samples = await metrics.collect();
  await dispatcher.sql.query('ROLLBACK');
  expect(valueOf(samples, 'webhook_schedule_lag')).toBeGreaterThanOrEqual(50);
  expect(valueOf(samples, 'webhook_lanes_in_flight')).toBe(0);
  await until('webhook_schedule_lag', {}, 0);
});

test('while what is committed can not be published, it is seen since when', async () => {
  const pass = async () => {
    dispatcher.bed.clock.advance(1_000);
    await running.setTime(dispatcher.bed.clock.now());
    return valueOf(await metrics.collect(), 'outbox_lag');
  };
  await eventually(async () => expect(await pass()).toBe(0));
  await dispatcher.sql.query('BEGIN');
  await dispatcher.sql.query('LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE');
  await eventually(async () => expect(await pass()).toBeGreaterThan(1));
  await dispatcher.sql.query('ROLLBACK');
  await eventually(async () => expect(await pass()).toBe(0));
});

test('every metric that the alert rules name is exported', async () => {
  const rules = readFileSync(join(import.meta.dirname, '../../../deploy/observability/alerts.yaml'), 'utf8');
  const named = new Set(rules.match(/\b(webhook|bus|outbox)_\w+/g));
  expect(named.size).toBeGreaterThan(10);
  // Histograms are exported once something is in them.
  await publishToNewEndpoint();
  await eventually(async () => {
    const exported = new Set((await metrics.collect()).map(({ name }) => name));
    expect([...named].filter((name) => !exported.has(name))).toEqual([]);
  });
});

test('no label of a metric names a customer, an endpoint or an address', async () => {
  const samples = (await metrics.collect()).filter(({ name }) => name.startsWith('webhook_'));
  const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
  expect([...labels].sort()).toEqual(['cause', 'le', 'otel_scope_name', 'outcome', 'status', 'turn']);
});
