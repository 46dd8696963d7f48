import { expect, test } from '@jest/globals';
import { afterOutcome, closedBreaker, mayStart, retryAfterMs, type Breaker } from './breaker.js';
import type { Outcome } from './send.js';

const now = Date.parse('2026-01-01T00:00:00Z');
const answered = (status: number, headers: Record<string, string> = {}) => ({ kind: 'answered', status, headers }) as Outcome;
const timeout = { kind: 'unanswered', error: 'timeout' } as Outcome;

function after(outcomes: Outcome[], from: Breaker = closedBreaker): Breaker {
  return outcomes.reduce((breaker, outcome) => afterOutcome(breaker, outcome, now), from);
}

test('four failures in a row change nothing, the fifth opens for a second, later ones for longer up to a minute', () => {
  const openFor = (failures: number) => after(Array<Outcome>(failures).fill(timeout)).openUntil - now;
  expect(mayStart(after([timeout, timeout, timeout, timeout]), 3, now)).toBe(true);
  expect([5, 6, 7, 11, 40].map(openFor)).toEqual([1_000, 2_000, 4_000, 60_000, 60_000]);
});

test('once its time is over one attempt at a time may find out', () => {
  const open = after(Array<Outcome>(5).fill(timeout));
  expect(mayStart(open, 0, now + 999)).toBe(false);
  expect(mayStart(open, 0, now + 1_000)).toBe(true);
  expect(mayStart(open, 1, now + 1_000)).toBe(false);
});

test('a success closes it', () => {
  expect(after([...Array<Outcome>(9).fill(timeout), answered(204)])).toEqual(closedBreaker);
});

test.each([
  [answered(429), 1_000],
  [answered(503), 1_000],
  [answered(429, { 'retry-after': '120' }), 120_000],
  [answered(503, { 'retry-after': 'Thu, 01 Jan 2026 00:05:00 GMT' }), 300_000],
  [answered(429, { 'retry-after': '0' }), 0],
  [answered(429, { 'retry-after': '999999999' }), 86_400_000],
  [answered(503, { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }), 0],
  [answered(503, { 'retry-after': 'soon' }), 1_000],
])('%j pauses the endpoint for %i ms', (outcome, pauseMs) => {
  expect(after([outcome]).openUntil - now).toBe(pauseMs);
});

test('Retry-After of an answer that does not ask to slow down means nothing', () => {
  expect(retryAfterMs(answered(500, { 'retry-after': '120' }), now)).toBeUndefined();
});

test('a shorter pause does not cut a longer one short', () => {
  expect(after([answered(429, { 'retry-after': '600' }), answered(503)]).openUntil - now).toBe(600_000);
});
