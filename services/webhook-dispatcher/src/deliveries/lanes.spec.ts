// Lanes with stand-ins for attempts and the database.
import { expect, test } from '@jest/globals';
import { TestClock } from '@na/testing';
import type { DueDelivery, Target } from './delivery.js';
import { leaseMs } from './fan-out.js';
import { Lanes } from './lanes.js';
import type { LoopLag } from './loop-lag.js';
import type { Outcome } from './outcome.js';

const timeoutMs = 10_000;

interface Limits {
  maxInFlightPerEndpoint?: number;
  maxWaitingPerEndpoint?: number;
  maxInFlight?: number;
  replicas?: number;
}

/** Endpoints that are sent one request at a time, unless said otherwise, and answer when they are told to. */
function stage({ replicas = 1, ...limits }: Limits = {}) {
  const clock = new TestClock();
  const started: string[] = [];
  const givenBack: string[] = [];
  const answers: (() => void)[] = [];
  const attempt = async ({ id }: DueDelivery) => {
    started.push(id);
    await new Promise<void>((resolve) => answers.push(resolve));
    return { kind: 'answered', status: 200, headers: {}, body: '', durationMs: 1, phases: {} } satisfies Outcome;
  };
  const giveBack = async (deliveries: DueDelivery[]) => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    givenBack.push(...deliveries.map(({ id }) => id));
  };
  const work = { attempt, giveBack, onRoom: () => undefined, onPause: () => undefined, replicas: () => replicas };
  const lanes = new Lanes({ maxInFlightPerEndpoint: 1, maxWaitingPerEndpoint: 100, maxInFlight: 100, ...limits }, work, clock, { ownMs: 0 } as LoopLag);
  const target = { endpointId: 'we_1', timeoutMs } as Target;
  const delivery = (id: string, more: Partial<Target> = {}, workspaceId = 'ws') =>
    ({ id, attempts: 0, workspaceId, target: { ...target, ...more }, leasedUntil: new Date(clock.now().getTime() + leaseMs) }) as DueDelivery;
  /** So many for an endpoint, whose id begins with that of its workspace: `a1` is of `a`. */
  const flood = (endpointId: string, count: number) => {
    for (let i = 0; i < count; i++) lanes.add(delivery(`${endpointId} ${i}`, { endpointId }, endpointId.slice(0, 1)));
  };
  const startedOf = (endpoint: string) => started.filter((id) => id.startsWith(endpoint)).length;
  const answerNext = async () => {
    answers.shift()!();
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  };
  return { clock, lanes, delivery, flood, started, startedOf, givenBack, answerNext };
}

test('what is on its way into a lane can be hurried with', async () => {
  const { lanes, delivery, started, answerNext } = stage();
  const arrival = Promise.withResolvers<DueDelivery[]>();
  const brought = lanes.bring(arrival.promise);
  const isHurried = lanes.hurry('we_1', 'dlv_three');
  arrival.resolve(['dlv_one', 'dlv_two', 'dlv_three'].map((id) => delivery(id)));
  await brought;
  expect(await isHurried).toBe(true);
  await answerNext();
  expect(started).toEqual(['dlv_one', 'dlv_three']);
});

test('what waits under a lease that covers no attempt any more is given back, and not hurried with', async () => {
  const { clock, lanes, delivery, started, givenBack, answerNext } = stage();
  for (const id of ['dlv_one', 'dlv_two']) lanes.add(delivery(id));
  clock.advance(leaseMs - timeoutMs + 1);
  expect(await lanes.hurry('we_1', 'dlv_two')).toBe(false);
  expect(givenBack).toEqual(['dlv_two']);
  await answerNext();
  expect(started).toEqual(['dlv_one']);
});

test('of a delivery that is withdrawn only what waits is given back', async () => {
  const { lanes, delivery, givenBack } = stage();
  for (const id of ['dlv_one', 'dlv_two']) lanes.add(delivery(id));
  for (const id of ['dlv_one', 'dlv_two', 'dlv_unknown']) await lanes.withdrawOne('we_1', id);
  expect(givenBack).toEqual(['dlv_two']);
});

test('endpoints that hang leave places to the others of their workspace, and more to other workspaces', () => {
  const { flood, startedOf } = stage({ maxInFlightPerEndpoint: 50, maxInFlight: 30 });
  flood('a1', 40);
  flood('a2', 40);
  const ofHanging = startedOf('a');
  expect(ofHanging).toBeLessThanOrEqual(15);
  flood('a3', 40);
  expect(startedOf('a3')).toBeGreaterThan(0);
  flood('b1', 5);
  expect(startedOf('b1')).toBe(5);
  expect(startedOf('')).toBeLessThan(30);
});

test('though several workspaces hang, one that has nothing in flight finds a place', () => {
  const { flood, startedOf } = stage({ maxInFlightPerEndpoint: 50, maxInFlight: 50 });
  for (const endpoint of ['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2']) flood(endpoint, 20);
  flood('z1', 1);
  expect(startedOf('z1')).toBe(1);
});

test('a place that is given back goes to who has waited for one, before who gave it back', async () => {
  const { flood, startedOf, answerNext } = stage({ maxInFlightPerEndpoint: 50, maxInFlight: 4 });
  flood('a1', 9);
  flood('a2', 9);
  expect([startedOf('a1'), startedOf('a2')]).toEqual([2, 0]);
  await answerNext();
  expect([startedOf('a1'), startedOf('a2')]).toEqual([2, 1]);
  await answerNext();
  expect(startedOf('a')).toBeGreaterThan(3);
});

test('there are never more attempts than the replica may make', () => {
  const { flood, startedOf } = stage({ maxInFlight: 20 });
  for (const workspace of 'abcdefghijklmnopqrstuvwxyz') flood(`${workspace}1`, 1);
  expect(startedOf('')).toBe(20);
});

test('workspaces take turns, however many endpoints they have', async () => {
  const { flood, startedOf, answerNext } = stage({ maxInFlight: 1_000 });
  for (let i = 1; i <= 70; i++) flood(`a${i}`, 2);
  flood('b1', 1);
  await answerNext();
  await answerNext();
  expect(startedOf('b1')).toBe(1);
});

test('what a lane has no room for waits in the database', () => {
  const { lanes, flood } = stage({ maxWaitingPerEndpoint: 10 });
  flood('a1', 10);
  expect(lanes.hasRoom('a1')).toBe(true);
  flood('a1', 1 + 10);
  expect([lanes.hasRoom('a1'), lanes.hasRoom('b1')]).toEqual([false, true]);
});

test('replicas share the rate of an endpoint', async () => {
  const { clock, lanes, delivery, started } = stage({ replicas: 2, maxInFlightPerEndpoint: 50 });
  for (let i = 0; i < 20; i++) lanes.add(delivery(`dlv_${i}`, { rateLimitPerSecond: 10 }));
  const before = started.length;
  for (let ms = 0; ms < 1_000; ms += 10) {
    clock.advance(10);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect(started.length - before).toBe(5);
});
