import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { afterOutcome, closedBreaker, mayStart, pauseEnd, type Breaker } from './breaker.js';
import type { Outcome } from './outcome.js';

const now = Date.parse('2026-01-01T00:00:00Z');
const answered = (status: number, headers: Record<string, string> = {}) => ({ kind: 'answered', status, headers }) as Outcome;
const timeout = { kind: 'unanswered', error: 'timeout' } as Outcome;

/** One attempt after the other, each begun when the pause before it was over. */
function after(outcomes: Outcome[], from: Breaker = closedBreaker): Breaker {
  return outcomes.reduce((breaker, outcome) => {
    const startedAt = Math.max(now, pauseEnd(breaker));
    return afterOutcome(breaker, outcome, startedAt, startedAt);
  }, from);
}

/** All in flight at the same time. */
function together(outcomes: Outcome[], from: Breaker = closedBreaker): Breaker {
  return outcomes.reduce((breaker, outcome) => afterOutcome(breaker, outcome, now - 1, now), from);
}

const pauseMs = (breaker: Breaker) => pauseEnd(breaker) - now;
const times = (count: number, outcome: Outcome) => Array<Outcome>(count).fill(outcome);

test('four failures in a row change nothing, the fifth opens for a second, later ones for longer up to a minute', () => {
  expect(mayStart(after(times(4, timeout)), 3, now)).toBe(true);
  const pauses = [5, 6, 7, 8, 9, 10, 11, 40].map((failures) => {
    const breaker = after(times(failures, timeout));
    return breaker.openUntil - breaker.openedAt;
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test('pauses that begin at different moments end together, at the next quarter of a second after their time', () => {
  const ends = [1, 120, 250, 251].map((ms) => times(5, timeout).reduce((breaker, outcome) => afterOutcome(breaker, outcome, now + ms, now + ms), closedBreaker).openUntil);
  expect(ends.map((end) => end - now)).toEqual([1_250, 1_250, 1_250, 1_500]);
});

test.each([[timeout], [answered(503)], [answered(429)]])('failures of attempts that were in flight together are one reason for a pause: %j', (outcome) => {
  expect(pauseMs(together(times(14, outcome)))).toBe(1_000);
});

test('once its time is over one attempt at a time may find out', () => {
  const open = after(times(5, timeout));
  expect(mayStart(open, 0, now + 999)).toBe(false);
  expect(mayStart(open, 0, now + 1_000)).toBe(true);
  expect(mayStart(open, 1, now + 1_000)).toBe(false);
});

test('a success closes it', () => {
  expect(after([...times(9, timeout), answered(204)])).toEqual(closedBreaker);
});

test.each([
  [answered(429), 1_000],
  [answered(503), 1_000],
  [answered(429, { 'retry-after': '120' }), 120_000],
  [answered(429, { 'retry-after': '0' }), 1_000],
  [answered(503, { 'retry-after': 'soon' }), 1_000],
])('%j pauses the endpoint for %i ms', (outcome, ms) => {
  expect(pauseMs(after([outcome]))).toBe(ms);
});

test.each([[answered(429)], [answered(503)], [answered(429, { 'retry-after': '120' })]])('after the pause of a single %j one attempt at a time finds out', (outcome) => {
  const paused = after([outcome]);
  expect([0, 1].map((inFlight) => mayStart(paused, inFlight, pauseEnd(paused)))).toEqual([true, false]);
  expect(mayStart(after([answered(200)], paused), 9, pauseEnd(paused))).toBe(true);
});

test('429 and 503 that keep coming without Retry-After pause it for longer and longer', () => {
  const breaker = after(times(4, answered(503)));
  expect(breaker.openUntil - breaker.openedAt).toBe(8_000);
});

test('a pause that was asked for is cut short neither by a shorter one nor by the success of an attempt that was in flight', () => {
  const asked = answered(429, { 'retry-after': '600' });
  expect(pauseMs(together([asked, answered(503)]))).toBe(600_000);
  expect(pauseMs(together([asked, answered(429, { 'retry-after': '5' })]))).toBe(600_000);
  expect(pauseMs(together([asked, answered(200)]))).toBe(600_000);
});

test('nothing is sent before a Retry-After of up to a day is over, whatever comes of what was in flight', () => {
  const day = 86_400;
  const others = fc.array(fc.constantFrom(timeout, answered(200), answered(500), answered(503), answered(410)), { maxLength: 8 });
  fc.assert(
    fc.property(others, others, fc.constantFrom(429, 503), fc.integer({ min: 1, max: 3 * day }), (before, meanwhile, status, seconds) => {
      const asked = together([...before, answered(status, { 'retry-after': String(seconds) }), ...meanwhile]);
      expect(mayStart(asked, 0, now + Math.min(day, seconds) * 1_000 - 1)).toBe(false);
      expect(mayStart(asked, 0, Math.max(now + Math.min(day, seconds) * 1_000, asked.openUntil))).toBe(true);
    }),
  );
});
