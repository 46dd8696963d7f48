// When an endpoint that fails is left alone for a moment. Pure. Closed: attempts go out. Open: none until its time. After
// that half-open: one at a time, and the first success closes it.
import type { Outcome } from './send.js';

export interface Breaker {
  /** Attempts that failed one after the other. */
  failures: number;
  /** No attempt before, in Unix milliseconds. */
  openUntil: number;
}

export const closedBreaker: Breaker = { failures: 0, openUntil: 0 };

/** So many failures in a row open it. */
export const failuresToOpen = 5;
const firstPauseMs = 1_000;
const maxPauseMs = 60_000;

/** Longest that a Retry-After is honoured. */
export const maxRetryAfterMs = 24 * 3_600_000;

/** 429 and 503 ask for a pause of the whole endpoint, at once; other failures open it when they keep coming. */
export function afterOutcome(breaker: Breaker, outcome: Outcome, now: number): Breaker {
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) return closedBreaker;
  const failures = breaker.failures + 1;
  const asked = asksToSlowDown(outcome);
  if (!asked && failures < failuresToOpen) return { failures, openUntil: breaker.openUntil };
  const pauseMs = retryAfterMs(outcome, now) ?? pauseAfter(failures, asked);
  return { failures, openUntil: Math.max(breaker.openUntil, now + pauseMs) };
}

export function mayStart(breaker: Breaker, inFlight: number, now: number): boolean {
  if (now < breaker.openUntil) return false;
  return breaker.failures < failuresToOpen || inFlight === 0;
}

export function asksToSlowDown(outcome: Outcome): boolean {
  return outcome.kind === 'answered' && (outcome.status === 429 || outcome.status === 503);
}

/**
 * The wait that a 429 or 503 asks for by Retry-After, as seconds or as an HTTP date (RFC 9110, 10.2.3), at most 24 h.
 * Undefined for other answers, and for what is neither.
 */
export function retryAfterMs(outcome: Outcome, now: number): number | undefined {
  if (outcome.kind !== 'answered' || !asksToSlowDown(outcome)) return undefined;
  const text = outcome.headers['retry-after']?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(maxRetryAfterMs, Math.max(0, ms));
}

/** 1, 2, 4 … 60 s, counted from the failure that opened it. */
function pauseAfter(failures: number, asked: boolean): number {
  const doublings = Math.max(0, failures - (asked ? 1 : failuresToOpen));
  return Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(doublings, 10));
}
