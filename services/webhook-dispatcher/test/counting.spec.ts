// Counts that can't be done in time, because somebody holds the tables they read.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { answer, WebhookReceiver } from '@na/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { Counting, type Window } from '../src/counting.js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
let database: DataSource;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  receiver = await WebhookReceiver.start(answer(500));
  database = await new DataSource({ type: 'postgres', url: dispatcher.bed.database.urls['webhook-dispatcher'] }).initialize();
});
afterEach(() => dispatcher.sql.query('ROLLBACK'));
afterAll(async () => {
  await database.destroy();
  await receiver.stop();
  await dispatcher.stop();
});

const days = (count: number): Window => ({ since: new Date(0), until: new Date(count * 86_400_000) });
/** As a count ends that runs into its time limit, whatever the limit. */
const outOfTime = (tx: EntityManager) => tx.query("SET LOCAL statement_timeout = 1; SELECT pg_sleep(600)").then(() => 0);

test('what takes too long to count is replayed and enabled all the same, and says that there is more', async () => {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  const caller = { workspaceId, actor: 'test' };
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  dispatcher.bed.clock.advance(1_000);
  const until = dispatcher.bed.clock.now();
  const window = { since: timestampFromDate(new Date(until.getTime() - 60_000)), until: timestampFromDate(until) };
  await dispatcher.endpoints.disableEndpoint({ caller, id: endpointId });

  await dispatcher.sql.query('BEGIN; LOCK TABLE events');
  const enabled = await dispatcher.endpoints.enableEndpoint({ caller, id: endpointId }, { timeoutMs: 60_000 });
  expect(enabled).toMatchObject({ endpoint: { status: 'enabled' }, missedEvents: 0, missedEventsIsPartial: true });
  expect(enabled.missedSince).toBeDefined();
  const { replay } = await dispatcher.replays.createReplay({ caller, endpointId, ...window, statuses: ['retrying'] }, { timeoutMs: 60_000 });
  expect(replay).toMatchObject({ status: 'running', total: 0, totalIsPartial: true });

  await dispatcher.sql.query('ROLLBACK');
  await dispatcher.deliveryIn(workspaceId, 'retrying', 2);
  const { replay: exact } = await dispatcher.replays.createReplay({ caller, endpointId, ...window, statuses: ['retrying'], dryRun: true });
  expect(exact).toMatchObject({ total: 1, totalIsPartial: false });
});

test('counts of one workspace, however many, leave the connections of the others alone', async () => {
  const [busy, other] = [await dispatcher.createEndpoint(receiver.url), await dispatcher.createEndpoint(receiver.url)];
  const until = dispatcher.bed.clock.now();
  const window = { since: timestampFromDate(new Date(until.getTime() - 60_000)), until: timestampFromDate(until) };
  await dispatcher.sql.query('BEGIN; LOCK TABLE events');
  const dryRun = () => dispatcher.replays.createReplay({ caller: { workspaceId: busy.workspaceId }, endpointId: busy.endpointId, ...window, dryRun: true }, { timeoutMs: 60_000 });
  const counts = Promise.all(Array.from({ length: 8 }, dryRun));
  const first = await Promise.race([counts, dispatcher.endpoints.getEndpoint({ caller: { workspaceId: other.workspaceId }, id: other.endpointId })]);
  expect(first).toMatchObject({ endpoint: { id: other.endpointId } });
  await dispatcher.sql.query('ROLLBACK');
  expect((await counts).map(({ replay }) => replay!.status)).toEqual(Array(8).fill('planned'));
});

test('workspaces take turns, and each counts one thing at a time', async () => {
  const counting = new Counting(database);
  const order: string[] = [];
  const count = (workspaceId: string) =>
    counting.count(workspaceId, days(1), async () => {
      order.push(workspaceId);
      await new Promise(setImmediate);
      return 1;
    });
  await Promise.all(['ws_a', 'ws_a', 'ws_a', 'ws_b'].map(count));
  expect(order).toEqual(['ws_a', 'ws_b', 'ws_a', 'ws_a']);
});

test('days are counted from the newest until the time is over, and what fails ends no other count', async () => {
  const counting = new Counting(database, 60_000);
  const { until } = days(5);
  const slow = counting.count('ws_a', days(5), (tx, part) => (part.until < until ? outOfTime(tx) : Promise.resolve(7)));
  const failed = counting.count('ws_a', days(1), () => Promise.reject(new Error('not of the clock')));
  const full = counting.count('ws_a', { since: new Date(1), until: days(3).until }, (_, part) => Promise.resolve(part.since.getTime() === 1 ? 100 : 1));
  await expect(failed).rejects.toThrow('not of the clock');
  expect(await Promise.all([slow, full])).toEqual([
    { count: 7, isPartial: true },
    { count: 102, isPartial: false },
  ]);
});
