// What comes after an attempt. Pure: the same attempt, outcome and moment always give the same next step.
import { receivedOf, type Outcome } from './outcome.js';
import { isOurFault } from './send-error.js';

export interface RetryPolicy {
  /** Wait before the second attempt, 1 to 86,400 s. */
  baseSeconds: number;
  /** Each wait is the one before times this, 1 to 10. */
  factor: number;
  /** Longest wait, 1 to 86,400 s. */
  maxSeconds: number;
  /** First attempt included, 1 to 30. */
  maxAttempts: number;
}

/** Twelve attempts over about 2⅓ days. */
export const defaultRetryPolicy: RetryPolicy = { baseSeconds: 5, factor: 4, maxSeconds: 12 * 3_600, maxAttempts: 12 };

/** A delivery in its run of the policy. */
export interface Run {
  /** The number of the attempt that was made, counted from 1 in this run. */
  attempt: number;
  /** The same, counted from the delivery's first. */
  attemptInAll: number;
  /** The policy's when the delivery was made or replayed, more after a retry by hand. */
  maxAttempts: number;
  /** When its event happened. */
  eventAt: Date;
  /** There is to be no other attempt, whatever comes of this one: a test delivery past the schedule. */
  isOnlyAttempt?: boolean;
}

/** `isForgiven`: the attempt was none of the policy's, and the next has its number. */
export type NextStep = { kind: 'succeeded' } | { kind: 'retry'; at: Date; isForgiven?: boolean } | { kind: 'failed' };

/** For so long after its event faults of our own use up none of a delivery's attempts. After that they do, so that nothing is tried for ever. */
const forgivenForMs = 3 * 86_400_000;

/** Longest wait after a fault of our own, so that a delivery does not come long after it is mended. */
const maxForgivenWaitMs = 5 * 60_000;

/** Every wait is spread by this share to both sides, so that what failed together does not come back together. */
const jitter = 0.2;

/**
 * 2xx succeeds, if all of the answer came. 410 fails for good: the endpoint is gone, and says so in the head of its answer. Anything
 * else is tried again while attempts are left. What a 429 or 503 asks for by Retry-After pauses the whole endpoint,
 * this delivery with it: see endpoint-pauses.ts.
 * @param random uniform in [0, 1)
 */
export function nextStep(run: Run, outcome: Outcome, policy: RetryPolicy, now: Date, random: number): NextStep {
  if (isSuccess(outcome)) return { kind: 'succeeded' };
  const after = (ms: number) => new Date(now.getTime() + ms);
  if (isForgiven(run, outcome, now)) return { kind: 'retry', at: after(Math.min(maxForgivenWaitMs, backoffMs(run.attemptInAll, policy, random))), isForgiven: true };
  if (run.attempt >= run.maxAttempts || isGone(outcome)) return { kind: 'failed' };
  return { kind: 'retry', at: after(backoffMs(run.attempt, policy, random)) };
}

function isForgiven({ eventAt, isOnlyAttempt }: Run, outcome: Outcome, now: Date): boolean {
  return outcome.kind === 'unanswered' && isOurFault(outcome.error) && !isOnlyAttempt && now.getTime() - eventAt.getTime() < forgivenForMs;
}

export function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;
}

export function isGone(outcome: Outcome): boolean {
  return receivedOf(outcome)?.status === 410;
}

/** `min(max, base × factor^(attempt−1))` ± 20 %, in whole milliseconds. */
export function backoffMs(attempt: number, policy: RetryPolicy, random: number): number {
  const seconds = Math.min(policy.maxSeconds, policy.baseSeconds * policy.factor ** (attempt - 1));
  return Math.round(seconds * 1_000 * (1 - jitter + 2 * jitter * random));
}
