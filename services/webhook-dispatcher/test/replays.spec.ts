import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { CreateReplayRequest, Delivery, Envelope, Replay } from '@na/contracts';
import { answer, eventually, WebhookReceiver } from '@na/testing';
import { typeid } from 'typeid-js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(async () => {
  await dispatcher.sql.query('ROLLBACK');
  await receiver.stop();
});

interface Owner {
  workspaceId: string;
  endpointId: string;
}

type WantedReplay = Partial<Omit<CreateReplayRequest, '$typeName' | '$unknown' | 'caller'>>;

const now = () => dispatcher.bed.clock.now();
const hourAgo = () => new Date(now().getTime() - 3_600_000);
const sentEvents = () => receiver.requests.map(({ headers }) => headers['webhook-id'] as string);

async function create({ workspaceId, endpointId }: Owner, wanted: WantedReplay = {}): Promise<Replay> {
  const window = { since: timestampFromDate(hourAgo()), until: timestampFromDate(now()) };
  return (await dispatcher.replays.createReplay({ caller: { workspaceId }, endpointId, ...window, ...wanted })).replay!;
}

async function read({ workspaceId, endpointId }: Owner, id: string): Promise<Replay> {
  return (await dispatcher.replays.getReplay({ caller: { workspaceId }, endpointId, id })).replay!;
}

function until(owner: Owner, id: string, state: Partial<Replay>): Promise<Replay> {
  return eventually(async () => {
    const replay = await read(owner, id);
    expect(replay).toMatchObject(state);
    return replay;
  });
}

/** Publishes events a second apart; the clock ends a second after the last. */
async function publish(workspaceId: string, count: number): Promise<Envelope[]> {
  const events = Array.from({ length: count }, () => {
    const event = dispatcher.pageCreated(workspaceId);
    dispatcher.bed.clock.advance(1_000);
    return event;
  });
  for (const event of events) await dispatcher.publish(event);
  return events;
}

function untilAll(workspaceId: string, count: number, state: Partial<Delivery>): Promise<Delivery[]> {
  return eventually(async () => {
    const deliveries = await dispatcher.list(workspaceId);
    expect(deliveries).toHaveLength(count);
    for (const delivery of deliveries) expect(delivery).toMatchObject(state);
    return deliveries;
  });
}

/** Once they are logged, an endpoint that is created has missed them. */
function untilLogged(workspaceId: string, count: number): Promise<void> {
  return eventually(async () => {
    const { rowCount } = await dispatcher.sql.query('SELECT FROM events WHERE workspace_id = $1', [workspaceId]);
    expect(rowCount).toBe(count);
  });
}

/** An endpoint with so many deliveries, all sent once; the receiver answers 200 afterwards. At most four can fail without opening the breaker. */
async function endpointWith(count: number, status: 'succeeded' | 'failed'): Promise<Owner & { events: string[]; times: Timestamp[] }> {
  receiver.behave(answer(status === 'failed' ? 500 : 200));
  const owner = await dispatcher.createEndpoint(receiver.url, { maxAttempts: 1 });
  const events = await publish(owner.workspaceId, count);
  await untilAll(owner.workspaceId, count, { status });
  receiver.behave(answer(200));
  return { ...owner, events: events.map(({ id }) => id), times: events.map(({ createdAt }) => createdAt!) };
}

/** Moves the clock on in small steps until the replay is over. */
async function runToEnd(owner: Owner, id: string): Promise<Replay> {
  return eventually(async () => {
    dispatcher.bed.clock.advance(100);
    const replay = await read(owner, id);
    expect(replay.status).toBe('completed');
    return replay;
  });
}

test('what has failed is sent once more, under its webhook-id; what has succeeded is not', async () => {
  const owner = await endpointWith(3, 'failed');
  const [later] = await publish(owner.workspaceId, 1);
  await receiver.received(4);
  const replay = await create(owner);
  expect(replay).toMatchObject({ status: 'running', statuses: ['failed'], total: 3, ratePerSecond: 50 });
  expect(await runToEnd(owner, replay.id)).toMatchObject({ total: 3, done: 3 });
  await untilAll(owner.workspaceId, 4, { status: 'succeeded' });
  expect(sentEvents().sort()).toEqual([...owner.events, ...owner.events, later!.id].sort());
});

test('a replay that finds nothing is over at once, and in the way of no other', async () => {
  const owner = await endpointWith(1, 'failed');
  const nothing = await create(owner, { statuses: ['cancelled'] });
  expect(nothing).toMatchObject({ status: 'completed', total: 0, done: 0, completedAt: nothing.createdAt });
  expect(await create(owner)).toMatchObject({ status: 'running', total: 1 });
});

test('a replay gives what has failed a fresh run of the policy that its endpoint has now, and no more; its waits begin anew', async () => {
  const owner = await endpointWith(1, 'failed');
  receiver.behave(answer(500));
  const settings = { retryPolicy: { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 2 } };
  await dispatcher.endpoints.updateEndpoint({ caller: { workspaceId: owner.workspaceId }, id: owner.endpointId, settings, fields: ['retry_policy'] });

  const { id } = await create(owner);
  await until(owner, id, { status: 'completed', done: 1 });
  const retrying = await dispatcher.deliveryIn(owner.workspaceId, 'retrying', 2);
  expect(retrying.maxAttempts).toBe(3);
  const waitMs = timestampDate(retrying.nextRetryAt!).getTime() - timestampDate(retrying.lastAttemptAt!).getTime();
  expect(waitMs).toBeGreaterThanOrEqual(4_000);
  expect(waitMs).toBeLessThanOrEqual(6_000);
  dispatcher.moveTo(retrying);
  expect(await dispatcher.deliveryIn(owner.workspaceId, 'failed', 3)).toMatchObject({ maxAttempts: 3, finalStatus: 'failed' });

  await dispatcher.deliveries.retryDelivery({ caller: { workspaceId: owner.workspaceId }, id: retrying.id });
  expect(await dispatcher.deliveryIn(owner.workspaceId, 'failed', 4)).toMatchObject({ maxAttempts: 4 });
});

test('a dry run counts exactly what lies in its window, its start included and its end not, and does nothing', async () => {
  const owner = await endpointWith(4, 'succeeded');
  const statuses = ['succeeded'];
  const dryRun = async (wanted: WantedReplay) => (await create(owner, { statuses, dryRun: true, ...wanted })).total;
  const all = await create(owner, { statuses, dryRun: true });
  expect(all).toMatchObject({ status: 'planned', total: 4, done: 0 });
  expect(await dryRun({ since: owner.times[1], until: owner.times[3] })).toBe(2);
  expect(await dryRun({ statuses: [] })).toBe(0);
  expect(await dryRun({ statuses: ['failed', 'succeeded'], eventTypes: ['page.*'] })).toBe(4);
  expect(await dryRun({ eventTypes: ['goal.*'] })).toBe(0);
  expect(receiver.requests).toHaveLength(4);
  expect(await read(owner, all.id)).toMatchObject({ status: 'planned', done: 0 });
});

test('events of before the endpoint existed are made up for, those it wants, once', async () => {
  const workspaceId = typeid('ws').toString();
  const events = await publish(workspaceId, 3);
  await untilLogged(workspaceId, 3);
  const goals = await dispatcher.createEndpoint(receiver.url, { workspaceId, eventTypes: ['goal.*'] });
  const owner = await dispatcher.createEndpoint(receiver.url, { workspaceId, eventTypes: ['page.*'] });
  expect(await create(owner, { includeMissed: true, dryRun: true })).toMatchObject({ total: 3 });
  expect(await create(owner, { dryRun: true })).toMatchObject({ total: 0 });
  expect(await create(goals, { includeMissed: true, dryRun: true })).toMatchObject({ total: 0 });

  const replay = await create(owner, { includeMissed: true });
  expect(await runToEnd(owner, replay.id)).toMatchObject({ total: 3, done: 3 });
  await untilAll(workspaceId, 3, { status: 'succeeded', attempts: 1, endpointId: owner.endpointId });
  expect(sentEvents()).toEqual(events.map(({ id }) => id));
  expect(await create(owner, { includeMissed: true, dryRun: true })).toMatchObject({ total: 0 });
  for (const { id } of await dispatcher.list(workspaceId)) {
    const { delivery, request } = await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id });
    expect(timestampDate(delivery!.eventCreatedAt!).toISOString()).toBe((JSON.parse(request!.body) as { created_at: string }).created_at);
  }
});

test('what was missed is made up for alone, if that is all that is wanted', async () => {
  const owner = await endpointWith(1, 'failed');
  const { workspaceId, endpointId: id } = owner;
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  dispatcher.bed.clock.advance(1);
  const [missed] = await publish(workspaceId, 1);
  await untilLogged(workspaceId, 2);
  dispatcher.bed.clock.advance(1);
  await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id });
  receiver.behave(answer(200));
  receiver.requests.splice(0);
  const replay = await create(owner, { includeMissed: true, onlyMissed: true });
  expect(await runToEnd(owner, replay.id)).toMatchObject({ statuses: [], total: 1, done: 1 });
  await receiver.received(1);
  await dispatcher.oneInState(workspaceId, 'failed');
  expect(sentEvents()).toEqual([missed!.id]);
});

test('an endpoint of some pages is not made up for events of others, however many there are', async () => {
  const workspaceId = typeid('ws').toString();
  const [, , page] = await publish(workspaceId, 4);
  await untilLogged(workspaceId, 4);
  const owner = await dispatcher.createEndpoint(receiver.url, { workspaceId });
  expect(await create(owner, { includeMissed: true, dryRun: true })).toMatchObject({ total: 4 });
  const { pageId } = page!.data.value as { pageId: string };
  await dispatcher.sql.query('UPDATE endpoints SET page_ids = $1 WHERE id = $2', [[pageId], owner.endpointId]);

  const replay = await create(owner, { includeMissed: true, ratePerSecond: 1 });
  expect(await runToEnd(owner, replay.id)).toMatchObject({ total: 1, done: 1 });
  await untilAll(workspaceId, 1, { status: 'succeeded', eventId: page!.id });
});

test('a test delivery to one endpoint is nothing that the others missed', async () => {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  const other = await dispatcher.createEndpoint(receiver.url, { workspaceId });
  await dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id: endpointId, eventType: 'page.created' });
  dispatcher.bed.clock.advance(1);
  await untilAll(workspaceId, 1, { status: 'succeeded' });
  expect(await create(other, { includeMissed: true, dryRun: true })).toMatchObject({ total: 0 });
});

test('the rate holds: no more are due in any second, and the next wait for the clock', async () => {
  const owner = await endpointWith(5, 'succeeded');
  const start = now().getTime();
  const replay = await create(owner, { statuses: ['succeeded'], ratePerSecond: 2 });
  await until(owner, replay.id, { done: 2, status: 'running' });
  const waiting = await eventually(async () => {
    const found = (await dispatcher.list(owner.workspaceId)).filter(({ status }) => status === 'retrying');
    expect(found).toHaveLength(1);
    return found[0]!;
  });
  expect(timestampDate(waiting.nextRetryAt!).getTime()).toBe(start + 500);
  expect(receiver.requests).toHaveLength(6);

  for (const [ms, done, sent] of [[500, 2, 7], [500, 4, 8], [500, 4, 9], [500, 5, 10]] as const) {
    dispatcher.bed.clock.advance(ms);
    await until(owner, replay.id, { done });
    await receiver.received(sent);
    expect(receiver.requests).toHaveLength(sent);
  }
  await until(owner, replay.id, { status: 'completed', total: 5, done: 5 });
  expect(sentEvents().slice(5)).toEqual(owner.events);
});

test('a replay goes on where the dispatcher was stopped, with several replicas too, and sends nothing twice', async () => {
  const owner = await endpointWith(12, 'succeeded');
  const replay = await create(owner, { statuses: ['succeeded'], ratePerSecond: 4 });
  await until(owner, replay.id, { done: 4, status: 'running' });
  await dispatcher.stopDispatchers();
  await Promise.all([dispatcher.startDispatcher(), dispatcher.startDispatcher(), dispatcher.startDispatcher()]);
  expect(await read(owner, replay.id)).toMatchObject({ done: 4, status: 'running' });
  expect(await runToEnd(owner, replay.id)).toMatchObject({ total: 12, done: 12 });
  await eventually(async () => {
    dispatcher.bed.clock.advance(100);
    for (const delivery of await dispatcher.list(owner.workspaceId)) expect(delivery).toMatchObject({ status: 'succeeded', attempts: 2 });
  });
  expect(sentEvents().sort()).toEqual([...owner.events, ...owner.events].sort());
});

test('a cancelled replay makes no further deliveries due', async () => {
  const owner = await endpointWith(3, 'failed');
  const replay = await create(owner, { ratePerSecond: 1 });
  await until(owner, replay.id, { done: 1 });
  const cancel = () => dispatcher.replays.cancelReplay({ caller: { workspaceId: owner.workspaceId }, endpointId: owner.endpointId, id: replay.id });
  expect((await cancel()).replay).toMatchObject({ status: 'cancelled', done: 1 });
  await expect(cancel()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('cancelled') });
  await dispatcher.oneInState(owner.workspaceId, 'succeeded');
  dispatcher.bed.clock.advance(10_000);
  // The next replay's end shows that the loop has been round since.
  const next = await create(owner, { statuses: ['succeeded'] });
  expect(await runToEnd(owner, next.id)).toMatchObject({ done: 1 });
  expect((await dispatcher.list(owner.workspaceId)).filter(({ status }) => status === 'failed')).toHaveLength(2);
});

test('of replays of one endpoint that are made at once a single one runs', async () => {
  const owner = await endpointWith(2, 'failed');
  const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => create(owner, { ratePerSecond: 1 })));
  const refused = attempts.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as object] : []));
  expect(refused).toHaveLength(4);
  for (const refusal of refused) expect(refusal).toMatchObject({ code: 'conflict' });
  expect(await create(owner, { dryRun: true })).toMatchObject({ status: 'planned' });
});

test('a replay that somebody has locked holds up no other', async () => {
  const owner = await endpointWith(3, 'failed');
  const locked = await create(owner, { ratePerSecond: 1 });
  await until(owner, locked.id, { done: 1 });
  await dispatcher.sql.query('BEGIN');
  await dispatcher.sql.query('SELECT FROM replays WHERE id = $1 FOR UPDATE', [locked.id]);
  // From now on the locked one is the first in turn.
  dispatcher.bed.clock.advance(10_000);
  const other = await endpointWith(1, 'failed');
  expect(await runToEnd(other, (await create(other)).id)).toMatchObject({ done: 1 });
  expect(await read(owner, locked.id)).toMatchObject({ done: 1, status: 'running' });
});

test('a disabled endpoint takes no replay but a dry run, and one that is running rests until it is enabled', async () => {
  const owner = await endpointWith(3, 'failed');
  const named = { caller: { workspaceId: owner.workspaceId }, id: owner.endpointId };
  const replay = await create(owner, { ratePerSecond: 1 });
  await until(owner, replay.id, { done: 1 });
  await dispatcher.endpoints.disableEndpoint(named);
  await expect(create(owner)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('Enable it first') });
  expect(await create(owner, { dryRun: true })).toMatchObject({ status: 'planned' });
  dispatcher.bed.clock.advance(10_000);
  const other = await endpointWith(1, 'failed');
  await runToEnd(other, (await create(other)).id);
  expect(await read(owner, replay.id)).toMatchObject({ done: 1, status: 'running' });
  await dispatcher.endpoints.enableEndpoint(named);
  expect(await runToEnd(owner, replay.id)).toMatchObject({ done: 3 });
});

test('a replay of an endpoint that is deleted is cancelled', async () => {
  const owner = await endpointWith(3, 'failed');
  const replay = await create(owner, { ratePerSecond: 1 });
  await until(owner, replay.id, { done: 1 });
  await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId: owner.workspaceId }, id: owner.endpointId });
  dispatcher.bed.clock.advance(2_000);
  await until(owner, replay.id, { status: 'cancelled', done: 1 });
});

test('a replay that can not be made says where the fault is', async () => {
  const owner = await endpointWith(1, 'succeeded');
  const wanted = { since: timestampFromDate(now()), until: timestampFromDate(hourAgo()), eventTypes: ['gaol.*'] };
  await expect(create(owner, wanted)).rejects.toMatchObject({
    code: 'invalid_request',
    fields: [{ pointer: '/since' }, { pointer: '/event_types/0' }],
  });
});

test('replays are listed newest first, those of their endpoint only', async () => {
  const owner = await endpointWith(1, 'succeeded');
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.unshift((await create(owner, { dryRun: true })).id);
  await create(await endpointWith(1, 'succeeded'), { dryRun: true });
  const list = (after: string, limit: number) =>
    dispatcher.replays.listReplays({ caller: { workspaceId: owner.workspaceId }, endpointId: owner.endpointId, after, limit });
  const first = await list('', 2);
  expect([first.replays.map(({ id }) => id), first.hasMore]).toEqual([ids.slice(0, 2), true]);
  const rest = await list(ids[1]!, 2);
  expect([rest.replays.map(({ id }) => id), rest.hasMore]).toEqual([ids.slice(2), false]);
});

test('the endpoints and replays of another workspace look like none', async () => {
  const owner = await endpointWith(1, 'succeeded');
  const { id } = await create(owner, { statuses: ['succeeded'], ratePerSecond: 1 });
  const foreign = { workspaceId: typeid('ws').toString(), endpointId: owner.endpointId };
  const other = await endpointWith(1, 'succeeded');
  const caller = { workspaceId: foreign.workspaceId };
  const requests = [
    () => create(foreign),
    () => read(foreign, id),
    () => read({ ...owner, endpointId: other.endpointId }, id),
    () => dispatcher.replays.cancelReplay({ caller, endpointId: owner.endpointId, id }),
    () => dispatcher.replays.listReplays({ caller, endpointId: owner.endpointId, limit: 10 }),
  ];
  for (const request of requests) await expect(request()).rejects.toMatchObject({ code: 'not_found' });
});

test('tries of one request make one replay, also at once, and what another endpoint has under its id stays hidden', async () => {
  const owner = await endpointWith(2, 'failed');
  const wanted = { id: typeid('rpl').toString(), ratePerSecond: 1 };
  const made = await Promise.all([1, 2, 3].map(() => create(owner, wanted)));
  expect(made.map(({ id }) => id)).toEqual(Array(3).fill(wanted.id));
  await expect(create(await endpointWith(1, 'failed'), wanted)).rejects.toMatchObject({ code: 'conflict' });
});

test('a replay that the first try of a request cancelled is shown to its second try', async () => {
  const owner = await endpointWith(2, 'failed');
  const { id } = await create(owner, { ratePerSecond: 1 });
  const cancel = (isRepeat: boolean) => dispatcher.replays.cancelReplay({ caller: { workspaceId: owner.workspaceId }, endpointId: owner.endpointId, id, isRepeat });
  const [first, second] = [await cancel(false), await cancel(true)];
  expect([first.replay!.status, second]).toEqual(['cancelled', first]);
  await expect(cancel(false)).rejects.toMatchObject({ code: 'conflict' });
});

test('what was missed among many that were sent is found by comparing the hour once, not event by event', async () => {
  const owner = await dispatcher.createEndpoint(receiver.url);
  const { workspaceId, endpointId } = owner;
  const [count, missed] = [2_000, 3];
  const start = hourAgo().toISOString();
  await dispatcher.sql.query(
    `INSERT INTO events (id, event_at, workspace_id, type, payload)
     SELECT 'evt_' || lpad(n::text, 26, '0'), $2::timestamptz + n * interval '1 second', $1, 'page.created', '{"data":{}}' FROM generate_series(1, $3::integer) AS n`,
    [workspaceId, start, count],
  );
  await dispatcher.sql.query(
    `INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts, created_at, completed_at)
     SELECT 'dlv_' || id, event_at, workspace_id, $2, id, type, 'succeeded', 1, 12, event_at, event_at FROM events WHERE workspace_id = $1 ORDER BY event_at LIMIT $3`,
    [workspaceId, endpointId, count - missed],
  );
  const { id } = await create(owner, { since: timestampFromDate(new Date(start)), includeMissed: true });
  await until(owner, id, { status: 'completed', done: missed });
  await dispatcher.stopDispatchers();
  const { rows } = await dispatcher.sql.query<{ read: number }>(
    `SELECT (sum(idx_tup_fetch) + sum(seq_tup_read))::integer AS read FROM pg_stat_user_tables WHERE relname LIKE 'deliveries%'`,
  );
  await dispatcher.startDispatcher();
  expect(rows[0]!.read).toBeLessThan(50 * count);
});
