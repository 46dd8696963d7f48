import { expect, test } from '@jest/globals';
import { overLimit, rateHeaders } from './rate-headers.js';
import { isFor, takeOne, windowAt } from './rate-window.js';

const quota = { limit: 600, windowSeconds: 60 };
const noon = Date.UTC(2026, 2, 1, 12);

test('a window ends at the next multiple of its length, and its last millisecond still belongs to it', () => {
  expect(windowAt('key_1', quota, noon).endsAtMs).toBe(noon + 60_000);
  expect(windowAt('key_1', quota, noon + 59_999).endsAtMs).toBe(noon + 60_000);
  const window = windowAt('key_1', quota, noon);
  expect([isFor(window, quota, noon + 59_999), isFor(window, quota, noon + 60_000)]).toEqual([true, false]);
});

test('a window of another limit or another length is another window', () => {
  const window = windowAt('key_1', quota, noon);
  expect(isFor(window, { ...quota, limit: 601 }, noon)).toBe(false);
  expect(isFor(window, { ...quota, windowSeconds: 61 }, noon)).toBe(false);
});

test('what was taken counts on under a changed limit: whole in a longer window, by proportion in a shorter one', () => {
  const used = { ...windowAt('key_1', quota, noon), left: 10, unreserved: 290 };
  const under = (limit: number, windowSeconds: number, nowMs = noon) => windowAt('key_1', { limit, windowSeconds }, nowMs, used).unreserved;
  expect([under(600, 61), under(1_000, 60), under(200, 60)]).toEqual([300, 700, 0]);
  expect([under(300, 30), under(10, 1), under(60_000, 7_200)]).toEqual([150, 5, 59_700]);
  expect(under(600, 61, noon + 60_000)).toBe(600);
});

test('what is reserved is used up one by one; then more is to be reserved, as long as there is any', () => {
  const window = { ...windowAt('key_1', quota, noon), left: 2, unreserved: 1 };
  expect([takeOne(window, noon), takeOne(window, noon)]).toMatchObject([{ isAdmitted: true, remaining: 2 }, { isAdmitted: true, remaining: 1 }]);
  expect(takeOne(window, noon)).toBeUndefined();
  window.unreserved = 0;
  expect(takeOne({ ...window, isAsked: true }, noon)).toMatchObject({ isAdmitted: false, remaining: 0 });
});

test('nothing is refused by a guess: what another gateway may have counted already is asked for', () => {
  const used = { ...windowAt('key_1', quota, noon), left: 0, unreserved: 0 };
  const guessed = windowAt('key_1', { limit: 1, windowSeconds: 1 }, noon, used);
  expect([guessed.unreserved, takeOne(guessed, noon)]).toEqual([0, undefined]);
});

test('clients are told the policy, what is left, and when to come back: never "in 0 seconds"', () => {
  const window = { ...windowAt('key_1', quota, noon), left: 1, unreserved: 4 };
  const decision = takeOne(window, noon + 59_999)!;
  expect(rateHeaders(decision)).toEqual({ 'ratelimit-policy': '"default";q=600;w=60', ratelimit: '"default";r=4;t=1' });
  expect(overLimit({ ...decision, resetSeconds: 17 })).toMatchObject({ code: 'rate_limited', headers: { 'retry-after': '17' } });
});
