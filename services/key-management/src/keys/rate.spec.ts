import { expect, test } from '@jest/globals';
import { isAtMost, rateOf } from './rate.js';

const rate = (limit: number, windowSeconds: number) => ({ limit, windowSeconds });

test('a key without a limit of its own has the installation\'s', () => {
  expect(rateOf({ rateLimit: null, rateWindowSeconds: null }, rate(600, 60))).toEqual(rate(600, 60));
  expect(rateOf({ rateLimit: 5, rateWindowSeconds: 1 }, rate(600, 60))).toEqual(rate(5, 1));
});

test('a rate is at most another one if it is so both in one window and in the long run', () => {
  expect(isAtMost(rate(600, 60), rate(600, 60))).toBe(true);
  expect(isAtMost(rate(10, 1), rate(600, 60))).toBe(true);
  expect(isAtMost(rate(11, 1), rate(600, 60))).toBe(false);
  expect(isAtMost(rate(600, 61), rate(600, 60))).toBe(true);
  expect(isAtMost(rate(601, 3_600), rate(600, 60))).toBe(false);
});
