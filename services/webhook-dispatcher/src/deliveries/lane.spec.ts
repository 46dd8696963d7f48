import { expect, test } from '@jest/globals';
import { failuresToOpen } from './breaker.js';
import type { DueDelivery } from './delivery.js';
import { Lane } from './lane.js';
import type { Outcome } from './outcome.js';

const now = 1_000_000;
const answered = (status: number, headers = {}): Outcome => ({ kind: 'answered', status, headers, body: '', durationMs: 1, phases: {} });
const delivery = (id: string, attempts = 0) => ({ id, attempts, leasedUntil: new Date(now + 60_000) }) as DueDelivery;

const laneFor = (maxInFlight: number, ratePerSecond?: number) => new Lane('ws', { maxInFlight, maxWaiting: 500, ratePerSecond });

/** A lane whose endpoint has just failed so often that it is left alone. */
function failing({ ratePerSecond }: { ratePerSecond?: number } = {}): Lane {
  const lane = laneFor(10, ratePerSecond);
  for (let i = 0; i < failuresToOpen; i++) {
    lane.add(delivery(`dlv_failed_${i}`));
    lane.end(lane.start(now + i * 1_000)!, answered(500), now + i * 1_000, 0);
  }
  return lane;
}
const later = now + (failuresToOpen - 1) * 1_000;

test('what is urgent goes before all else, also while the endpoint is left alone because it fails', () => {
  const lane = failing();
  lane.add(delivery('dlv_waits'));
  for (const id of ['dlv_one', 'dlv_two']) lane.addUrgent(delivery(id, 1));
  expect([lane.start(later), lane.start(later), lane.start(later)].map((started) => started?.id)).toEqual(['dlv_one', 'dlv_two', undefined]);
});

test('what is urgent already keeps its place when someone hurries again', () => {
  const lane = failing();
  for (const id of ['dlv_one', 'dlv_two']) lane.add(delivery(id));
  expect(['dlv_one', 'dlv_two', 'dlv_one'].map((id) => lane.hurry(id))).toEqual([true, true, true]);
  expect([lane.start(later), lane.start(later)].map((started) => started?.id)).toEqual(['dlv_one', 'dlv_two']);
});

test('of the two leases that a delivery came under it waits under the later one', () => {
  const lane = failing();
  lane.add(delivery('dlv_one'));
  lane.addUrgent({ ...delivery('dlv_one'), leasedUntil: new Date(now + 1_000) });
  expect(lane.start(later)).toMatchObject({ id: 'dlv_one', leasedUntil: new Date(now + 60_000) });
});

test('should it fail, the endpoint is left alone for no longer than it was to be', () => {
  const lane = failing();
  const until = lane.pausedUntil(later);
  lane.addUrgent(delivery('dlv_one', 1));
  lane.end(lane.start(later)!, answered(500), later, 0);
  expect(lane.pausedUntil(later)).toBe(until);
});

test('nor for a single answer of 503, which has it left alone at once', () => {
  const lane = laneFor(10);
  lane.add(delivery('dlv_first'));
  lane.end(lane.start(now)!, answered(503), now, 0);
  const until = lane.pausedUntil(now);
  lane.addUrgent(delivery('dlv_one', 1));
  lane.end(lane.start(now)!, answered(503), now, 0);
  expect(until).toBeDefined();
  expect(lane.pausedUntil(now)).toBe(until);
});

test('should it succeed, the endpoint is well again', () => {
  const lane = failing();
  lane.addUrgent(delivery('dlv_one', 1));
  lane.end(lane.start(later)!, answered(200), later, 0);
  expect(lane.pausedUntil(later)).toBeUndefined();
});

test('it stays when what waits is given back for a pause, but for one that was asked for', () => {
  const lane = failing();
  lane.add(delivery('dlv_waits'));
  lane.addUrgent(delivery('dlv_one', 1));
  lane.addUrgent(delivery('dlv_two', 1));
  expect(lane.emptyForPause(later).map(({ id }) => id)).toEqual(['dlv_waits']);
  lane.end(lane.start(later)!, answered(429, { 'retry-after': '60' }), later, 0);
  expect(lane.start(later)).toBeUndefined();
  expect(lane.emptyForPause(later).map(({ id }) => id)).toEqual(['dlv_two']);
});

test('it keeps to the rate and the cap', () => {
  const lane = failing({ ratePerSecond: 1 });
  for (const id of ['dlv_one', 'dlv_two']) lane.addUrgent(delivery(id, 1));
  const at = later + 1_000;
  expect(lane.start(at)?.id).toBe('dlv_one');
  expect(lane.start(at)).toBeUndefined();
  expect(lane.nextStartAt(at)).toBe(at + 1_000);
});

test('what waits already is moved up, and what is in flight is not begun again', () => {
  const lane = laneFor(1);
  for (const id of ['dlv_one', 'dlv_two', 'dlv_three']) lane.add(delivery(id));
  const one = lane.start(now)!;
  lane.addUrgent(delivery('dlv_three'));
  lane.addUrgent(delivery('dlv_one'));
  expect(lane.waiting).toBe(2);
  lane.end(one, answered(200), now, 0);
  expect(lane.start(now)?.id).toBe('dlv_three');
});

test('only what waits can be hurried', () => {
  const lane = laneFor(1);
  for (const id of ['dlv_one', 'dlv_two', 'dlv_three']) lane.add(delivery(id));
  const one = lane.start(now)!;
  expect(['dlv_one', 'dlv_three', 'dlv_unknown'].map((id) => lane.hurry(id))).toEqual([false, true, false]);
  lane.end(one, answered(200), now, 0);
  expect(lane.start(now)?.id).toBe('dlv_three');
});

test('what has waited for too long is handed back from the front of each queue, and may come again', () => {
  const lane = laneFor(10);
  for (const id of ['dlv_stale_1', 'dlv_stale_2', 'dlv_fresh']) lane.add(delivery(id));
  lane.add(delivery('dlv_stale_3', 1));
  expect(lane.letGo(({ id }) => id.startsWith('dlv_stale')).map(({ id }) => id)).toEqual(['dlv_stale_1', 'dlv_stale_2', 'dlv_stale_3']);
  lane.add(delivery('dlv_stale_1'));
  expect(lane.waiting).toBe(2);
});

test('while both wait, every fourth to start is a retry', () => {
  const lane = laneFor(10);
  for (let i = 0; i < 8; i++) for (const attempts of [0, 1]) lane.add(delivery(`dlv_${i}_${attempts}`, attempts));
  expect(Array.from({ length: 8 }, () => lane.start(now)!.attempts)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
});

/** Makes an attempt that takes so long, of which this process kept it waiting for `ownMs`. */
function attempt(lane: Lane, id: string, durationMs: number, ownMs = 0): void {
  lane.add(delivery(id));
  lane.end(lane.start(now)!, { ...answered(200), durationMs }, now, ownMs);
}

test('an endpoint that usually takes long is not quick, and is again once it does not', () => {
  const lane = laneFor(10);
  const isQuick = () => lane.isQuick(100, now);
  expect(isQuick()).toBe(true);
  attempt(lane, 'dlv_slow_once', 500);
  expect(isQuick()).toBe(true);
  for (let i = 0; i < 10; i++) attempt(lane, `dlv_slow_${i}`, 500);
  expect(isQuick()).toBe(false);
  for (let i = 0; i < 20; i++) attempt(lane, `dlv_quick_${i}`, 5);
  expect(isQuick()).toBe(true);
});

test('what this process kept attempts waiting does not make their endpoint slow', () => {
  const lane = laneFor(10);
  for (let i = 0; i < 20; i++) attempt(lane, `dlv_${i}`, 500, 490);
  expect(lane.isQuick(100, now)).toBe(true);
});

test('an attempt that is taking long makes its endpoint slow before it ends; waiting in the queue does not', () => {
  const lane = laneFor(1);
  const [one, two] = [delivery('dlv_one'), delivery('dlv_two')];
  for (const each of [one, two]) lane.add(each);
  expect(lane.start(now)).toBe(one);
  lane.noteSlow(two, 500);
  expect(lane.isQuick(100, now)).toBe(true);
  lane.noteSlow(one, 500);
  expect(lane.isQuick(100, now)).toBe(false);
});
