// One endpoint's lane: what waits for it, and what of that may start now. Decides; `lanes.ts` starts.
import { afterOutcome, closedBreaker, mayStart, type Breaker } from './breaker.js';
import type { DueDelivery } from './delivery.js';
import type { Outcome } from './send.js';

export interface LaneLimits {
  /** Most attempts at the same time. */
  maxInFlight: number;
  /** Most deliveries waiting in memory; the others wait in the database. */
  maxWaiting: number;
  /** Most attempts a second by this replica. */
  ratePerSecond: number | undefined;
}

/** What is quicker than this need not be remembered of an idle lane. */
const forgettableMs = 20;

/** While both wait, one pick in so many is a retry: retries never crowd out first attempts, and never starve. */
const retryTurn = 4;

export class Lane {
  private readonly firsts: DueDelivery[] = [];
  private readonly retries: DueDelivery[] = [];
  private breaker: Breaker = closedBreaker;
  private inFlight = 0;
  private picks = 0;
  private nextSlotAt = 0;
  /** Moving average of how long attempts take, in milliseconds; a lane that knows nothing yet is taken to be quick. */
  private usualMs = 0;
  /** Someone comes back to it by the clock. */
  isAwaited = false;

  constructor(public limits: LaneLimits) {}

  get waiting(): number {
    return this.firsts.length + this.retries.length;
  }

  /** Nothing in it that would have to be remembered. */
  isForgettable(now: number): boolean {
    return this.waiting === 0 && this.inFlight === 0 && this.breaker.failures === 0 && now >= this.nextSlotAt && this.usualMs < forgettableMs;
  }

  hasRoom(now: number): boolean {
    return now >= this.breaker.openUntil && this.waiting < this.limits.maxWaiting;
  }

  /** Whether a delivery added now is likely to be done within so many milliseconds. */
  isQuick(withinMs: number, now: number): boolean {
    const rounds = Math.ceil((this.waiting + this.inFlight + 1) / this.limits.maxInFlight);
    return this.breaker.failures === 0 && !this.limits.ratePerSecond && rounds * this.usualMs < withinMs && this.hasRoom(now);
  }

  /** An attempt is still in flight after this long. */
  noteSlow(ms: number): void {
    this.usualMs = Math.max(this.usualMs, ms);
  }

  add(delivery: DueDelivery): void {
    (delivery.attempts === 0 ? this.firsts : this.retries).push(delivery);
  }

  /** Takes the next delivery to attempt, or nothing when none may start. Each one taken must be ended. */
  start(now: number): DueDelivery | undefined {
    if (this.waiting === 0 || this.inFlight >= this.limits.maxInFlight || now < this.nextSlotAt || !mayStart(this.breaker, this.inFlight, now)) return undefined;
    const { ratePerSecond } = this.limits;
    if (ratePerSecond) this.nextSlotAt = Math.max(now, this.nextSlotAt) + 1_000 / ratePerSecond;
    this.inFlight += 1;
    return this.pick();
  }

  end(outcome: Outcome | undefined, now: number): void {
    this.inFlight -= 1;
    if (!outcome) return;
    this.breaker = afterOutcome(this.breaker, outcome, now);
    this.usualMs += (outcome.durationMs - this.usualMs) / 8;
  }

  /** When something that waits may start for which nothing but time is missing; undefined when an end must come first. */
  nextStartAt(now: number): number | undefined {
    if (this.waiting === 0 || this.inFlight >= this.limits.maxInFlight) return undefined;
    const at = Math.max(this.nextSlotAt, this.breaker.openUntil);
    return at > now && mayStart(this.breaker, this.inFlight, at) ? at : undefined;
  }

  /** Until when the endpoint is left alone, if it is. */
  pausedUntil(now: number): number | undefined {
    return this.breaker.openUntil > now ? this.breaker.openUntil : undefined;
  }

  /** Gives back everything that waits. */
  empty(): DueDelivery[] {
    return [...this.firsts.splice(0), ...this.retries.splice(0)];
  }

  private pick(): DueDelivery {
    this.picks += 1;
    const isRetryTurn = this.picks % retryTurn === 0;
    const [preferred, other] = isRetryTurn ? [this.retries, this.firsts] : [this.firsts, this.retries];
    return (preferred.shift() ?? other.shift())!;
  }
}
