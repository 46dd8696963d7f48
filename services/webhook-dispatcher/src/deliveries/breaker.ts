// When an endpoint that fails is left alone for a moment. Pure. Closed: attempts go out. Open: none until its time. After
// that half-open: one at a time, and the first success closes it. A pause that the endpoint has asked for with Retry-After is
// apart from that: it lasts as long as it says, whatever becomes of the attempts that were in flight.
import { asksToSlowDown, retryAfterMs } from './retry-after.js';
import { isSuccess } from './retry-policy.js';
import type { Outcome } from './outcome.js';

/** Times are Unix milliseconds. */
export interface Breaker {
  /** Attempts that failed one after the other. */
  failures: number;
  /** How often it has opened since the last success: each pause is twice the one before. */
  openings: number;
  /** Attempts that began before this were in flight when it opened: they say nothing new. */
  openedAt: number;
  /** No attempt before. */
  openUntil: number;
  /** Nor before this, which Retry-After has asked for. */
  askedUntil: number;
}

export const closedBreaker: Breaker = { failures: 0, openings: 0, openedAt: 0, openUntil: 0, askedUntil: 0 };

/** So many failures in a row open it. */
export const failuresToOpen = 5;
const firstPauseMs = 1_000;
const maxPauseMs = 60_000;

/** Pauses are drawn out to a multiple of this, so that many end together: each end has the database looked through for what waits. */
const endsEveryMs = 250;

/** 429 and 503 ask for a pause of the whole endpoint, at once, and count for as many as open it; other failures when they keep coming. */
export function afterOutcome(breaker: Breaker, outcome: Outcome, startedAt: number, now: number): Breaker {
  if (isSuccess(outcome)) return { ...closedBreaker, askedUntil: breaker.askedUntil };
  const oneMore = { ...breaker, failures: breaker.failures + 1 };
  const failed = asksToSlowDown(outcome) ? onTrial(oneMore) : oneMore;
  const askedMs = retryAfterMs(outcome, now);
  if (askedMs) return { ...failed, askedUntil: Math.max(breaker.askedUntil, now + askedMs) };
  const wasInFlight = startedAt < breaker.openedAt;
  return failed.failures >= failuresToOpen && !wasInFlight ? opened(failed, now) : failed;
}

export function mayStart(breaker: Breaker, inFlight: number, now: number): boolean {
  if (now < pauseEnd(breaker)) return false;
  return !isHalfOpen(breaker) || inFlight === 0;
}

/** Once its pause is over, a single attempt has to find out whether the endpoint is well again. */
export function isHalfOpen({ failures }: Breaker): boolean {
  return failures >= failuresToOpen;
}

/** As after a pause: see `isHalfOpen`. */
export function onTrial(breaker: Breaker): Breaker {
  return { ...breaker, failures: Math.max(breaker.failures, failuresToOpen) };
}

export function pauseEnd({ openUntil, askedUntil }: Breaker): number {
  return Math.max(openUntil, askedUntil);
}

/** For 1, 2, 4 … 60 s, and up to `endsEveryMs` more. */
function opened(breaker: Breaker, now: number): Breaker {
  const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(breaker.openings, 10));
  return { ...breaker, openings: breaker.openings + 1, openedAt: now, openUntil: Math.ceil((now + pauseMs) / endsEveryMs) * endsEveryMs };
}
