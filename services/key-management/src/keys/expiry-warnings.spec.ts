import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextWarningAt } from './expiry-warnings.js';

const dayMs = 86_400_000;
const now = new Date('2026-03-01T12:00:00.000Z');
const inDays = (days: number) => new Date(now.getTime() + days * dayMs);

test.each<[string, Date | null, number[], Date | null]>([
  ['far off, is first told at the earliest warning', inDays(30), [1, 7], inDays(23)],
  ['within the first warning, is told at the next', inDays(5), [7, 1], inDays(4)],
  ['within all of them, is not told any more', inDays(0.5), [7, 1], null],
  ['that comes never, is never told', null, [7, 1], null],
  ['with no warnings wanted, is never told', inDays(30), [], null],
  ['exactly at a warning, which has then been told, waits for the next', inDays(7), [7, 1], inDays(6)],
])('an expiry %s', (_what, expiresAt, days, expected) => {
  expect(nextWarningAt(expiresAt, days, now)).toEqual(expected);
});

test('from a key\'s creation to its end each warning that lies ahead comes once, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 5 }), (lifeDays, days) => {
      const expiresAt = inDays(lifeDays);
      const told: Date[] = [];
      for (let next = nextWarningAt(expiresAt, days, now); next; next = nextWarningAt(expiresAt, days, next)) told.push(next);
      const expected = days.filter((day) => day < lifeDays).sort((a, b) => b - a);
      expect(told).toEqual(expected.map((day) => inDays(lifeDays - day)));
    }),
  );
});
