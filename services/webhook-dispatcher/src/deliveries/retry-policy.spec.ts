import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, defaultRetryPolicy, nextStep, type RetryPolicy } from './retry-policy.js';
import type { Outcome } from './outcome.js';

const now = new Date('2026-01-01T00:00:00Z');
const answered = (status: number, headers = {}) => ({ kind: 'answered', status, headers }) as Outcome;
const run = (attempt: number, eventAt = now) => ({ attempt, attemptInAll: attempt, maxAttempts: 12, eventAt });
const stepAfter = (attempt: number, outcome: Outcome) => nextStep(run(attempt), outcome, defaultRetryPolicy, now, 0.5);

test.each([
  [1, 5],
  [2, 20],
  [3, 80],
  [4, 320],
  [7, 20_480],
  [8, 43_200],
  [11, 43_200],
])('after attempt %i of the default policy the wait is %i s in the middle of its jitter', (attempt, seconds) => {
  expect(backoffMs(attempt, defaultRetryPolicy, 0.5)).toBe(seconds * 1_000);
});

const policies = fc.record({
  baseSeconds: fc.integer({ min: 1, max: 86_400 }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  maxSeconds: fc.integer({ min: 1, max: 86_400 }),
  maxAttempts: fc.integer({ min: 1, max: 30 }),
});
const attempts = fc.integer({ min: 1, max: 30 });
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** In milliseconds, as it is documented. */
const scheduled = ({ baseSeconds, factor, maxSeconds }: RetryPolicy, attempt: number) => 1_000 * Math.min(maxSeconds, baseSeconds * factor ** (attempt - 1));

test('every wait is within 20 % of the schedule, whatever the policy', () => {
  fc.assert(
    fc.property(policies, attempts, randoms, (policy, attempt, random) => {
      const wait = backoffMs(attempt, policy, random);
      expect(Math.abs(wait - scheduled(policy, attempt))).toBeLessThanOrEqual(0.2 * scheduled(policy, attempt) + 1);
      expect(wait).toBeLessThanOrEqual(policy.maxSeconds * 1_200);
    }),
  );
});

test('the waits use the whole range of their jitter', () => {
  fc.assert(
    fc.property(policies, attempts, (policy, attempt) => {
      const range = backoffMs(attempt, policy, 1 - Number.EPSILON) - backoffMs(attempt, policy, 0);
      expect(Math.abs(range - 0.4 * scheduled(policy, attempt))).toBeLessThanOrEqual(1);
    }),
  );
});

test.each([200, 201, 204, 299])('%i succeeds', (status) => {
  expect(stepAfter(1, answered(status))).toEqual({ kind: 'succeeded' });
});

test.each([199, 301, 308, 400, 404, 500, 503])('%i is tried again', (status) => {
  expect(stepAfter(1, answered(status))).toEqual({ kind: 'retry', at: new Date(now.getTime() + 5_000) });
});

test('no answer is tried again', () => {
  expect(stepAfter(2, { kind: 'unanswered', error: 'timeout' } as Outcome)).toEqual({ kind: 'retry', at: new Date(now.getTime() + 20_000) });
});

test('410 fails for good at once', () => {
  expect(stepAfter(1, answered(410))).toEqual({ kind: 'failed' });
});

test.each([429, 503])("Retry-After of a %i is the endpoint's pause, and leaves the delivery's own wait as it is", (status) => {
  expect(stepAfter(1, answered(status, { 'retry-after': '120' }))).toEqual({ kind: 'retry', at: new Date(now.getTime() + 5_000) });
});

test('the last attempt fails for good, and succeeds if it succeeds', () => {
  expect(stepAfter(12, answered(500))).toEqual({ kind: 'failed' });
  expect(stepAfter(12, answered(200))).toEqual({ kind: 'succeeded' });
});

const ours = (error: 'proxy_error' | 'secret_unavailable') => ({ kind: 'unanswered', error }) as Outcome;
const ago = (days: number) => new Date(now.getTime() - days * 86_400_000);

test.each(['proxy_error', 'secret_unavailable'] as const)('a fault of our own (%s) uses up no attempt, and is waited for five minutes at most', (error) => {
  const waitMs = (attemptInAll: number) => {
    const step = nextStep({ ...run(12, ago(2.9)), attemptInAll }, ours(error), defaultRetryPolicy, now, 0.5);
    expect(step).toMatchObject({ kind: 'retry', isForgiven: true });
    return 'at' in step && step.at.getTime() - now.getTime();
  };
  expect([1, 2, 4, 40].map(waitMs)).toEqual([5_000, 20_000, 300_000, 300_000]);
});

test('where there is to be no other attempt a fault of our own is one like any other', () => {
  expect(nextStep({ ...run(12), isOnlyAttempt: true }, ours('proxy_error'), defaultRetryPolicy, now, 0.5)).toEqual({ kind: 'failed' });
});

test('three days after the event faults of our own count like any other, so that nothing is tried for ever', () => {
  expect(nextStep(run(12, ago(3)), ours('proxy_error'), defaultRetryPolicy, now, 0.5)).toEqual({ kind: 'failed' });
  expect(nextStep(run(11, ago(3)), ours('proxy_error'), defaultRetryPolicy, now, 0.5)).not.toHaveProperty('isForgiven');
});
