// kill -9 of PostgreSQL, of nats-server and of the dispatcher in the middle of the work: no event that JetStream has
// acknowledged is lost. PostgreSQL is one whose commits are on the disk.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Delivery } from '@na/contracts';
import { answer, DurableDatabase, eventually, hang, WebhookReceiver } from '@na/testing';
import pg from 'pg';
import { DispatcherBed } from './dispatcher-bed.js';
import { DispatcherProcess, environmentOn } from './dispatcher-process.js';

const rounds = 3;
/** Events of each kind of endpoint: as many while all is well as while something is dead. Ordered ones take their time, one after the other. */
const perHalf = { unordered: 40, ordered: 10 };
/** Sent in a round before something is killed. */
const sentFirst = 15;

let database: DurableDatabase;
let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
let running: DispatcherProcess;
beforeAll(async () => {
  database = await DurableDatabase.start();
  dispatcher = await DispatcherBed.withoutDispatcher(database);
}, 60_000);
afterAll(() => dispatcher.stop());
beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  await startDispatcher();
});
afterEach(async () => {
  await running.kill();
  await receiver.stop();
});

async function startDispatcher(): Promise<void> {
  running = new DispatcherProcess(environmentOn(dispatcher));
  await running.start(dispatcher.bed.clock.now());
}

async function pass(ms: number): Promise<void> {
  dispatcher.bed.clock.advance(ms);
  await running.setTime(dispatcher.bed.clock.now());
}

const sentEvents = (from = 0) => receiver.requests.slice(from).map(({ headers }) => headers['webhook-id'] as string);

/** Two: deliveries are attempted before they are in the table, those of the ordered one are written first. */
async function createOwners(): Promise<Record<keyof typeof perHalf, string>> {
  const [unordered, ordered] = await Promise.all([false, true].map((ordered) => dispatcher.createEndpoint(receiver.url, { ordered })));
  return { unordered: unordered!.workspaceId, ordered: ordered!.workspaceId };
}

/** Ten at a time, so that some are under way whenever something is killed. Resolves when JetStream has acknowledged all of them. */
async function publish(counts: Record<string, number>): Promise<string[]> {
  const events = Object.entries(counts).flatMap(([workspaceId, count]) => Array.from({ length: count }, () => dispatcher.pageCreated(workspaceId)));
  const left = [...events];
  const publishLeft = async () => {
    for (let event; (event = left.shift()); ) await dispatcher.publish(event);
  };
  await Promise.all(Array.from({ length: 10 }, publishLeft));
  return events.map(({ id }) => id);
}

/** Again where the dispatcher that is asked, or its database, has just been killed. */
function listAll(workspaceIds: string[]): Promise<Delivery[]> {
  return eventually(async () => {
    const deliveries: Delivery[] = [];
    for (const workspaceId of workspaceIds) {
      for (let after = '', hasMore = true; hasMore; after = deliveries.at(-1)?.id ?? '') {
        const page = await dispatcher.deliveries.listDeliveries({ caller: { workspaceId }, limit: 100, after }, { timeoutMs: 2_000 });
        deliveries.push(...page.deliveries);
        hasMore = page.hasMore;
      }
    }
    return deliveries;
  });
}

/** @param attempts how many a delivery has had when it succeeds: one, or another after a replay */
function succeededAmong(deliveries: Delivery[], attempts: number): Set<string> {
  return new Set(deliveries.filter((delivery) => delivery.status === 'succeeded' && delivery.attempts === attempts).map(({ eventId }) => eventId));
}

/** Lets time pass until all have succeeded. */
function untilAllSucceeded(workspaceIds: string[], count: number, attempts: number, stepMs: number): Promise<void> {
  return eventually(async () => {
    await pass(stepMs);
    const deliveries = await listAll(workspaceIds);
    const succeeded = succeededAmong(deliveries, attempts).size;
    expect({ listed: deliveries.length, succeeded }).toEqual({ listed: count, succeeded: count });
  }, 40_000);
}

/** What must not be sent after the first so many requests. */
interface Look {
  recorded: Set<string>;
  sent: number;
}

async function look(workspaceIds: string[], attempts: number): Promise<Look> {
  const recorded = succeededAmong(await listAll(workspaceIds), attempts);
  return { recorded, sent: receiver.requests.length };
}

/** A look at so many at least. */
function untilRecorded(workspaceIds: string[], count: number): Promise<Look> {
  return eventually(async () => {
    await pass(10);
    const seen = await look(workspaceIds, 1);
    expect(seen.recorded.size).toBeGreaterThanOrEqual(count);
    return seen;
  }, 20_000);
}

/** Lets time pass: after an outage the dispatcher waits a second before it looks for what is due. */
function untilSent(count: number): Promise<void> {
  return eventually(async () => {
    await pass(10);
    expect(receiver.requests.length).toBeGreaterThanOrEqual(count);
  }, 20_000);
}

function expectNotSentAgain(looks: Look[]): void {
  for (const { recorded, sent } of looks) expect(sentEvents(sent).filter((id) => recorded.has(id))).toEqual([]);
}

/**
 * Publishes and has something killed, again and again, and checks that everything is received and recorded.
 * @param outage kills, has the rest published meanwhile, and starts again
 * @param stepMs how fast time passes at the end: leases that nobody holds any more are over after 60 s
 */
async function killUnderLoad(outage: (publishRest: () => Promise<void>) => Promise<void>, stepMs: number): Promise<Look[]> {
  const { unordered, ordered } = await createOwners();
  const workspaceIds = [unordered, ordered];
  const half = { [ordered]: perHalf.ordered, [unordered]: perHalf.unordered };
  const published: string[] = [];
  const looks: Look[] = [];
  for (let round = 0; round < rounds; round++) {
    looks.push(await untilRecorded(workspaceIds, round * sentFirst));
    const publishing = publish(half);
    await untilSent(receiver.requests.length + sentFirst);
    await outage(async () => void published.push(...(await publish(half))));
    published.push(...(await publishing));
  }
  await untilAllSucceeded(workspaceIds, published.length, 1, stepMs);
  expect(new Set(sentEvents())).toEqual(new Set(published));
  return looks;
}

test('of events that are published while PostgreSQL is killed again and again, each is received and recorded, by a dispatcher that goes on', async () => {
  const looks = await killUnderLoad(async (publishRest) => {
    await database.kill();
    await publishRest();
    await database.startAgain();
  }, 1_000);
  expectNotSentAgain(looks);
}, 90_000);

test('of events that are published while nats-server is killed again and again, each is received and recorded, and none twice', async () => {
  await killUnderLoad(async (publishRest) => {
    await dispatcher.bed.killNats();
    await Promise.all([publishRest(), dispatcher.bed.startNatsAgain()]);
  }, 20);
  expect(sentEvents()).toHaveLength(rounds * 2 * (perHalf.unordered + perHalf.ordered));
}, 90_000);

test('of events that are published while dispatcher, PostgreSQL and nats-server are all killed at once, each is received and recorded', async () => {
  await killUnderLoad(async (publishRest) => {
    await Promise.all([running.kill(), database.kill(), dispatcher.bed.killNats()]);
    await Promise.all([publishRest(), startAllAgain()]);
  }, 1_000);
}, 90_000);

async function startAllAgain(): Promise<void> {
  await Promise.all([database.startAgain(), dispatcher.bed.startNatsAgain()]);
  await startDispatcher();
}

const replayed = 60;
const ratePerSecond = 10;

/** Has the replay stopped in the middle of a batch: at its first write to a table. Resolves with what lets go of it. */
async function stopBatchAt(table: 'deliveries' | 'replays'): Promise<() => Promise<void>> {
  const lock = new pg.Client({ connectionString: database.adminUrl, options: '-c search_path=webhook_dispatcher' });
  // Should the test fail, PostgreSQL stops before it.
  lock.on('error', () => undefined);
  await lock.connect();
  await lock.query(`BEGIN; LOCK TABLE ${table} IN SHARE MODE`);
  await eventually(async () => {
    await pass(100);
    // Within a transaction it would show again and again what it has shown first.
    await lock.query('SELECT pg_stat_clear_snapshot()');
    const { rowCount } = await lock.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND (query LIKE 'WITH free AS%' OR query LIKE 'UPDATE replays%')`,
    );
    expect(rowCount).toBe(1);
  });
  return () => lock.end();
}

test('a replay goes on to its end whenever in a batch its dispatcher is killed: all is sent again, and nothing that is recorded once more', async () => {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  const caller = { workspaceId };
  const since = timestampFromDate(dispatcher.bed.clock.now());
  const events = await publish({ [workspaceId]: replayed });
  await untilAllSucceeded([workspaceId], replayed, 1, 100);
  const before = receiver.requests.length;

  const wanted = { since, until: timestampFromDate(dispatcher.bed.clock.now()), statuses: ['succeeded'], ratePerSecond };
  const { replay } = await dispatcher.replays.createReplay({ caller, endpointId, ...wanted });
  const read = async () => (await dispatcher.replays.getReplay({ caller, endpointId, id: replay!.id }, { timeoutMs: 2_000 })).replay!;
  const looks: Look[] = [];
  const untilSucceeded = (count: number) =>
    eventually(async () => {
      await pass(100);
      const seen = await look([workspaceId], 2);
      expect(seen.recorded.size).toBeGreaterThanOrEqual(count);
      return seen;
    }, 20_000);

  for (const [count, table] of [[15, 'deliveries'], [35, 'replays']] as const) {
    looks.push(await untilSucceeded(count));
    receiver.behave(hang);
    const letGo = await stopBatchAt(table);
    await running.kill();
    await letGo();
    receiver.behave(answer(200));
    await startDispatcher();
    expect(await eventually(read)).toMatchObject({ status: 'running' });
  }
  await untilSucceeded(replayed);
  await eventually(async () => expect(await read()).toMatchObject({ status: 'completed', total: replayed, done: replayed }));
  expect(new Set(sentEvents(before))).toEqual(new Set(events));
  expectNotSentAgain(looks);
}, 90_000);

/** What nats-server writes at most every 100 ms: what it has handed out to the dispatchers and what they have acknowledged. */
const consumerState = () => join(dispatcher.bed.natsFolder, 'jetstream/$G/streams/NA_EVENTS/obs/webhook-dispatcher/o.dat');

async function untilAcknowledged(): Promise<void> {
  await eventually(async () => {
    const { num_pending, num_ack_pending } = await dispatcher.bed.bus.manager.consumers.info('NA_EVENTS', 'webhook-dispatcher');
    expect([num_pending, num_ack_pending]).toEqual([0, 0]);
  }, 20_000);
}

// It is handed out again as if for the first time (tries 1), and not to the process that remembers it.
test('what a killed nats-server forgot that it was acknowledged is not sent again by another replica', async () => {
  const second = new DispatcherProcess(environmentOn(dispatcher));
  try {
    await second.start(dispatcher.bed.clock.now());
    const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
    const before = `${consumerState()}.before`;
    await copyFile(consumerState(), before);
    const events = await publish({ [workspaceId]: 40 });
    await untilAllSucceeded([workspaceId], events.length, 1, 20);
    await untilAcknowledged();
    await dispatcher.bed.killNats();
    await copyFile(before, consumerState());
    await dispatcher.bed.startNatsAgain();
    await untilAcknowledged();
    expect(sentEvents()).toHaveLength(events.length);
  } finally {
    await second.kill();
  }
}, 90_000);
