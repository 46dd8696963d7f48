// Lanes with stand-ins for attempts and the database.
import { expect, test } from '@jest/globals';
import { TestClock } from '@na/testing';
import type { DueDelivery, Target } from './delivery.js';
import { leaseMs } from './fan-out.js';
import { Lanes } from './lanes.js';
import type { LoopLag } from './loop-lag.js';
import type { Outcome } from './outcome.js';

const timeoutMs = 10_000;

/** An endpoint that is sent one request at a time, and answers when it is told to. */
function stage() {
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
  const work = { attempt, giveBack, onRoom: () => undefined, onPause: () => undefined, replicas: () => 1 };
  const lanes = new Lanes({ maxInFlightPerEndpoint: 1, maxWaitingPerEndpoint: 100, maxInFlight: 100 }, work, clock, { ownMs: 0 } as LoopLag);
  const target = { endpointId: 'we_1', timeoutMs } as Target;
  const delivery = (id: string) => ({ id, attempts: 0, target, leasedUntil: new Date(clock.now().getTime() + leaseMs) }) as DueDelivery;
  const answerNext = async () => {
    answers.shift()!();
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  };
  return { clock, lanes, delivery, started, givenBack, answerNext };
}

test('what is on its way into a lane can be hurried with', async () => {
  const { lanes, delivery, started, answerNext } = stage();
  const arrival = Promise.withResolvers<DueDelivery[]>();
  const brought = lanes.bring(arrival.promise);
  const isHurried = lanes.hurry('we_1', 'dlv_three');
  arrival.resolve(['dlv_one', 'dlv_two', 'dlv_three'].map(delivery));
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
