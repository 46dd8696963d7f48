import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { DeliverPolicy } from '@nats-io/jetstream';
import { EnvelopeSchema, eventData, streams, type Envelope } from '@na/contracts';
import { eventually } from '@na/testing';
import { KeyManagementBed } from './key-management.bed.js';

const dayMs = 86_400_000;

let service: KeyManagementBed;
beforeAll(async () => {
  service = await KeyManagementBed.start();
  await service.startReplica();
});
afterAll(() => service.stop());

/** Moves on to `days` from now, and lets the replicas look until nothing is due and everything is told. */
async function moveOn(days: number): Promise<void> {
  service.bed.clock.advance(days * dayMs);
  await eventually(async () => {
    service.bed.clock.advance(60_000);
    const due = `SELECT 1 FROM keys WHERE next_warning_at <= $1 AND revoked_at IS NULL AND disabled_at IS NULL`;
    expect((await service.sql.query(due, [service.bed.clock.now()])).rows).toEqual([]);
    expect((await service.sql.query('SELECT 1 FROM outbox')).rows).toEqual([]);
  });
}

/** The key.expiring events of a workspace so far, in order, with whole days left. */
async function told(workspaceId: string): Promise<{ keyId: string; days: number }[]> {
  const filter_subjects = `na.events.v1.${workspaceId}.key.expiring`;
  const consumer = await service.bed.bus.js.consumers.get(streams.events.name, { filter_subjects, deliver_policy: DeliverPolicy.All });
  const { num_pending } = await consumer.info();
  if (num_pending === 0) return [];
  const events = [];
  for await (const message of await consumer.fetch({ max_messages: num_pending })) events.push(warningIn(fromBinary(EnvelopeSchema, message.data)));
  return events;
}

function warningIn(event: Envelope): { keyId: string; days: number } {
  const data = eventData(event) as { key_id: string; expires_at: string };
  const leftMs = Date.parse(data.expires_at) - timestampDate(event.createdAt!).getTime();
  return { keyId: data.key_id, days: Math.ceil(leftMs / dayMs) };
}

test('owners hear seven days and one day before a key ends, each time once, however many replicas there are', async () => {
  const workspaceId = await service.newWorkspace();
  const ids: string[] = [];
  for (let i = 0; i < 30; i++) ids.push((await service.newKey(workspaceId, { expiresAt: service.in(10 * dayMs) })).key.id);
  await moveOn(2);
  expect(await told(workspaceId)).toEqual([]);
  const once = (days: number) => ids.toSorted().map((keyId) => ({ keyId, days }));
  await moveOn(1);
  expect((await told(workspaceId)).toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1))).toEqual(once(7));
  await moveOn(6);
  expect((await told(workspaceId)).slice(30).toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1))).toEqual(once(1));
  await moveOn(2);
  expect(await told(workspaceId)).toHaveLength(60);
});

test('the event tells which key it is, when it ends and whether anybody would miss it', async () => {
  const workspaceId = await service.newWorkspace();
  const expiresAt = service.in(3 * dayMs);
  const { key } = await service.newKey(workspaceId, { expiresAt });
  await service.keys.recordKeyUse({ uses: [{ keyId: key.id, lastUsedAt: service.in(-5) }] });
  const lastUsedAt = timestampDate(service.in(-5)).toISOString();
  await moveOn(2);
  const event = await service.bed.nextEvent('key.expiring', workspaceId);
  const expires_at = timestampDate(expiresAt).toISOString();
  expect(eventData(event)).toEqual({ key_id: key.id, name: 'CI', last_four: key.lastFour, expires_at, last_used_at: lastUsedAt });
});

test('who gives a key more time hears of its new end anew', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId, { expiresAt: service.in(7.5 * dayMs) });
  await moveOn(1);
  await service.update(key, { expiresAt: service.in(8 * dayMs) });
  await moveOn(1);
  expect(await told(workspaceId)).toEqual([
    { keyId: key.id, days: 7 },
    { keyId: key.id, days: 7 },
  ]);
});

test('nothing is told of keys that are revoked or without an end, and of a disabled one only once it is on again', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: revoked } = await service.newKey(workspaceId, { expiresAt: service.in(8 * dayMs) });
  const { key: disabled } = await service.newKey(workspaceId, { expiresAt: service.in(8 * dayMs) });
  await service.newKey(workspaceId);
  await service.revoke(revoked);
  await service.update(disabled, { disabled: true });
  await moveOn(2);
  expect(await told(workspaceId)).toEqual([]);
  await service.update(disabled, { disabled: false });
  await moveOn(0);
  expect(await told(workspaceId)).toEqual([{ keyId: disabled.id, days: 6 }]);
});

test('of a key that ended before anyone could tell, nothing is told', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId, { expiresAt: service.in(8 * dayMs) });
  await moveOn(9);
  expect(await told(workspaceId)).toEqual([]);
  expect((await service.get(key)).status).toBe('expired');
});
