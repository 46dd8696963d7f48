import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Delivery, ListDeliveriesRequest } from '@na/contracts';
import { answer, eventually, hang, WebhookReceiver } from '@na/testing';
import { typeid } from 'typeid-js';
import { deliveryId } from '../src/deliveries/ids.js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());

interface Row {
  id: string;
  eventAt: Date;
  endpointId: string;
  eventId: string;
  eventType: string;
  status: string;
  responseCode: number | null;
  attempts: number;
}

type Wanted = Partial<Pick<ListDeliveriesRequest, 'status' | 'eventType' | 'eventId' | 'endpointId' | 'responseCode'>> & { since?: Date; until?: Date };

const hourMs = 3_600_000;
const statuses = ['pending', 'retrying', 'succeeded', 'succeeded', 'succeeded', 'failed', 'cancelled'];
const eventTypes = ['page.created', 'page.updated', 'goal.converted', 'key.created'];
const responseCodes = [null, 200, 200, 204, 500, 503];

/** So many deliveries over five days, several of them within one millisecond, in rare and in common combinations. */
async function store(workspaceId: string, endpointIds: string[], count: number): Promise<Row[]> {
  const now = dispatcher.bed.clock.now().getTime();
  const pick = <T>(from: T[], index: number) => from[index % from.length]!;
  const rows = Array.from({ length: count }, (_, index): Row => {
    const eventAt = new Date(now - Math.floor(index / 3) * 2.6 * hourMs);
    const [endpointId, eventId] = [pick(endpointIds, index), typeid('evt').toString()];
    return {
      ...{ id: deliveryId(eventId, endpointId, eventAt), eventAt, endpointId, eventId },
      eventType: pick(eventTypes, Math.floor(index ** 1.3)),
      status: pick(statuses, Math.floor(index ** 1.5)),
      responseCode: pick(responseCodes, index * 5 + (index % 11)),
      attempts: 1 + (index % 3),
    };
  });
  await dispatcher.sql.query(
    `WITH made AS (
       SELECT * FROM jsonb_to_recordset($1) AS made ("id" text, "eventAt" timestamptz, "endpointId" text, "eventId" text, "eventType" text,
                                                     "status" text, "responseCode" integer, "attempts" integer)
     ), logged AS (
       INSERT INTO events (id, event_at, workspace_id, type, payload) SELECT "eventId", "eventAt", $2, "eventType", '{}' FROM made
     ), attempted AS (
       INSERT INTO attempts (delivery_id, event_at, number, id, started_at, duration_ms, response_headers, response_body)
       SELECT "id", "eventAt", number, 'att', "eventAt", 1, '{}', 'body of attempt ' || number FROM made, generate_series(1, "attempts" + 1) AS number
     )
     INSERT INTO deliveries
       (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, response_code, attempts, max_attempts, created_at)
     SELECT "id", "eventAt", $2, "endpointId", "eventId", "eventType", "status", "responseCode", "attempts", 12, "eventAt" FROM made`,
    [JSON.stringify(rows), workspaceId],
  );
  return rows;
}

async function storedWorkspace(count = 150) {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint('http://127.0.0.1:9/');
  const other = await dispatcher.createEndpoint('http://127.0.0.1:9/', { workspaceId });
  const endpointIds = [endpointId, other.endpointId];
  return { workspaceId, endpointIds, rows: await store(workspaceId, endpointIds, count) };
}

async function page(workspaceId: string, { since, until, ...wanted }: Wanted, after: string, limit: number) {
  const window = { since: since && timestampFromDate(since), until: until && timestampFromDate(until) };
  return dispatcher.deliveries.listDeliveries({ caller: { workspaceId }, ...wanted, ...window, after, limit });
}

/** All pages, one after the other. */
async function listed(workspaceId: string, wanted: Wanted, limit: number): Promise<Delivery[]> {
  const all: Delivery[] = [];
  for (;;) {
    const { deliveries, hasMore } = await page(workspaceId, wanted, all.at(-1)?.id ?? '', limit);
    all.push(...deliveries);
    if (!hasMore) return all;
    expect(deliveries).toHaveLength(limit);
  }
}

function expected(rows: Row[], { since, until, ...wanted }: Wanted): string[] {
  return rows
    .filter((row) => Object.entries(wanted).every(([name, value]) => row[name as keyof Row] === value))
    .filter(({ eventAt }) => (!since || eventAt >= since) && (!until || eventAt < until))
    .map(({ id }) => id)
    .sort()
    .reverse();
}

/** Every combination of the given filters, each left out or set. */
function combinations(wanted: Required<Wanted>): Wanted[] {
  return Object.entries(wanted).reduce<Wanted[]>((found, [name, value]) => found.flatMap((one) => [one, { ...one, [name]: value }]), [{}]);
}

test('every combination of filters gives exactly what it describes, newest first, page by page', async () => {
  const { workspaceId, rows } = await storedWorkspace();
  const { status, eventType, eventId, endpointId, eventAt } = rows[62]!;
  const window = { since: new Date(eventAt.getTime() - 20 * hourMs), until: new Date(eventAt.getTime() + 9 * hourMs) };
  const tried = combinations({ status, eventType, eventId, endpointId, responseCode: 500, ...window });
  expect(tried).toHaveLength(128);
  for (const wanted of tried) expect([wanted, (await listed(workspaceId, wanted, 7)).map(({ id }) => id)]).toEqual([wanted, expected(rows, wanted)]);
});

test('each status with each type or family and each response code, those that are not there included, gives exactly its own', async () => {
  const { workspaceId, rows } = await storedWorkspace();
  const types = { 'page.*': ['page.created', 'page.updated'], '*': eventTypes, 'insight.*': [], 'insight.created': [], ...Object.fromEntries(eventTypes.map((type) => [type, [type]])) };
  const anyType: [string | undefined, string[]] = [undefined, eventTypes];
  for (const status of [undefined, ...new Set(statuses)]) {
    for (const [eventType, matching] of [anyType, ...Object.entries(types)]) {
      const ofType = rows.filter((row) => matching.includes(row.eventType));
      for (const responseCode of [undefined, 100, 200, 204, 404, 500, 503, 999]) {
        const wanted = { ...(status && { status }), ...(responseCode && { responseCode }) };
        const found = (await listed(workspaceId, { ...wanted, eventType }, 100)).map(({ id }) => id);
        expect([wanted, eventType, found]).toEqual([wanted, eventType, expected(ofType, wanted)]);
      }
    }
  }
});

test('a family of event types is asked for by its pattern, and together with other filters', async () => {
  const { workspaceId, rows } = await storedWorkspace();
  const ofPages = rows.filter(({ eventType }) => eventType.startsWith('page.'));
  const idsOf = async (wanted: Wanted) => (await listed(workspaceId, wanted, 7)).map(({ id }) => id);
  expect(await idsOf({ eventType: 'page.*' })).toEqual(expected(ofPages, {}));
  expect(await idsOf({ eventType: 'page.*', status: 'failed' })).toEqual(expected(ofPages, { status: 'failed' }));
  expect(await idsOf({ eventType: '*' })).toEqual(expected(rows, {}));
  expect(await idsOf({ eventType: 'insight.*' })).toEqual([]);
});

test.each(['nope', 'page', 'pages.*', 'page.creat*', '', ' *'])('the event type %p, which matches none, is refused instead of answered with an empty page', async (eventType) => {
  const { workspaceId } = await storedWorkspace(3);
  await expect(page(workspaceId, { eventType }, '', 10)).rejects.toMatchObject({
    code: 'invalid_request',
    fields: [{ pointer: '/event_type', code: 'unknown_event_type', detail: expect.stringContaining(`"${eventType}" matches no event type`) }],
  });
});

test('since is included and until is not, to the millisecond', async () => {
  const { workspaceId, rows } = await storedWorkspace(30);
  const { eventAt } = rows[9]!;
  expect(await listed(workspaceId, { since: eventAt, until: new Date(eventAt.getTime() + 1) }, 100)).toHaveLength(3);
  expect(await listed(workspaceId, { since: new Date(eventAt.getTime() + 1), until: new Date(eventAt.getTime() + 2) }, 100)).toHaveLength(0);
});

test('each delivery shows the time that the order and the window go by', async () => {
  const { workspaceId, rows } = await storedWorkspace(30);
  await dispatcher.sql.query(`UPDATE deliveries SET created_at = now() WHERE workspace_id = $1 AND status = 'failed'`, [workspaceId]);
  const shown = await listed(workspaceId, {}, 7);
  const times = new Map(rows.map(({ id, eventAt }) => [id, eventAt]));
  for (const { id, eventCreatedAt } of shown) expect(timestampDate(eventCreatedAt!)).toEqual(times.get(id));
});

test('a page carries the body of the latest attempt of each', async () => {
  const { workspaceId, rows } = await storedWorkspace(30);
  const bodies = new Map(rows.map(({ id, attempts }) => [id, `body of attempt ${attempts}`]));
  for (const { id, responseBody } of await listed(workspaceId, {}, 100)) expect(responseBody).toBe(bodies.get(id));
});

test('endpoints and events of another workspace have no deliveries', async () => {
  const { endpointIds, rows } = await storedWorkspace(30);
  const stranger = typeid('ws').toString();
  for (const wanted of [{ endpointId: endpointIds[0]! }, { eventId: rows[0]!.eventId }, {}]) expect(await listed(stranger, wanted, 100)).toEqual([]);
});

test('the next attempt of what a paused endpoint holds up is shown for the end of the pause', async () => {
  const receiver = await WebhookReceiver.start(hang);
  let answerFirst = (): void => undefined;
  receiver.behave((...request) => void (answerFirst = () => answer(429, '', { 'retry-after': '120' })(...request)));
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.sql.query('UPDATE endpoints SET rate_limit_per_second = 1 WHERE id = $1', [endpointId]);
  for (let i = 0; i < 4; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(1);
  for (const { nextRetryAt } of await dispatcher.untilListed(workspaceId, 4)) expect(nextRetryAt).toBeUndefined();

  const pauseEnd = dispatcher.bed.clock.now().getTime() + 120_000;
  answerFirst();
  await eventually(async () => {
    const deliveries = await dispatcher.list(workspaceId);
    expect(deliveries.map(({ status }) => status).sort()).toEqual(['pending', 'pending', 'pending', 'retrying']);
    for (const { nextRetryAt } of deliveries) expect(timestampDate(nextRetryAt!).getTime()).toBeGreaterThanOrEqual(pauseEnd);
  });
  await receiver.stop();
});
