import { expect, test } from '@jest/globals';
import { TestClock } from '@na/testing';
import { RateLimits } from './rate-limits.js';
import type { Window } from './rate-window.js';

test.each([
  ['while the database answers', 1],
  ['while the database is away', undefined],
])('requests that race with a change of their limit are all answered, %s', async (_, share) => {
  const asked: Window[] = [];
  const reserve = async (window: Window) => {
    asked.push(window);
    if (asked.length > 100) throw new Error('it asks for ever');
    return share === undefined ? undefined : { share, unreserved: 10 };
  };
  const limits = new RateLimits({ reserve }, new TestClock());
  const before = { limit: 600, windowSeconds: 60 };
  const after = { limit: 900, windowSeconds: 60 };
  const decisions = await Promise.all([before, after, before, after, before].map((quota) => limits.take('key_1', quota)));
  expect(decisions.map(({ isAdmitted, quota }) => [isAdmitted, quota.limit])).toEqual([600, 900, 600, 900, 600].map((limit) => [true, limit]));
});
