import { expect, test } from '@jest/globals';
import { isStale, resendAfterMs } from './alert-schedule.js';

test.each([
  [1, 1],
  [2, 2],
  [6, 32],
  [7, 60],
  [100, 60],
])('after %i failed tries the wait is %i minutes', (tries, minutes) => {
  expect(resendAfterMs(tries)).toBe(minutes * 60_000);
});

test('an alert is stale from three days on', () => {
  const createdAt = new Date('2026-03-01T00:00:00Z');
  expect(isStale({ createdAt }, new Date('2026-03-03T23:59:59.999Z'))).toBe(false);
  expect(isStale({ createdAt }, new Date('2026-03-04T00:00:00.000Z'))).toBe(true);
});
