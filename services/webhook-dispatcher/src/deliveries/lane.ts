// One endpoint's lane: what waits for it, and what of that may start now. Decides; `lanes.ts` starts.
import { afterOutcome, closedBreaker, isHalfOpen, mayStart, onTrial, pauseEnd, type Breaker } from './breaker.js';
import type { DueDelivery } from './delivery.js';
import { isSuccess } from './retry-policy.js';
import type { Outcome } from './outcome.js';

export interface LaneLimits {
  /** Most attempts at the same time. */
  maxInFlight: number;
  /** Most deliveries waiting in memory; the others wait in the database. */
  maxWaiting: number;
  /** Most attempts a second by this replica. */
  ratePerSecond: number | undefined;
}

/** Of an endpoint that nothing is known of yet: quick, but not so much that a flood to it is attempted before it is written. */
const assumedMs = 25;

/** Longest that a pause takes, in the ordinary case, from the answer that asks for it to the endpoint's row. */
const recordedWithinMs = 1_000;

/** While both wait, one pick in so many is a retry: retries never crowd out first attempts, and never starve. */
const retryTurn = 4;

export class Lane {
  private readonly firsts: DueDelivery[] = [];
  private readonly retries: DueDelivery[] = [];
  /** That a person wants to see attempted now: they go before all others, and whether or not the endpoint is left alone because it fails. */
  private readonly urgent: DueDelivery[] = [];
  private readonly queues = [this.urgent, this.firsts, this.retries];
  private breaker: Breaker = closedBreaker;
  /** The end of the latest pause that the endpoint's row has told of, in Unix milliseconds. */
  private pauseSeen = 0;
  /** With when each began, in Unix milliseconds. */
  private readonly inFlight = new Map<DueDelivery, number>();
  /** Of all that waits or is in flight. */
  private readonly ids = new Set<string>();
  private picks = 0;
  private nextSlotAt = 0;
  /** Moving average of how long attempts take, in milliseconds. */
  private usualMs = assumedMs;
  /** Of what was urgent: that one of them fails is no reason to leave the endpoint alone for longer. */
  private readonly hurried = new WeakSet<DueDelivery>();
  /** Begun before the endpoint changed: they say nothing of it as it is. */
  private readonly foreign = new WeakSet<DueDelivery>();
  /** Someone comes back to it by the clock. */
  isAwaited = false;

  constructor(
    readonly workspaceId: string,
    public limits: LaneLimits,
  ) {}

  /** Attempts under way. */
  get underWay(): number {
    return this.inFlight.size;
  }

  get waiting(): number {
    return this.urgent.length + this.firsts.length + this.retries.length;
  }

  get isIdle(): boolean {
    return this.waiting === 0 && this.inFlight.size === 0;
  }

  hasRoom(now: number): boolean {
    if (now < pauseEnd(this.breaker)) return false;
    return this.takesOne ? this.isIdle : this.waiting < this.limits.maxWaiting;
  }

  /** Whether it has no use for more than one: should that fail, the others would only have to be given back. */
  get takesOne(): boolean {
    return isHalfOpen(this.breaker);
  }

  /** Whether a delivery added now is likely to be done within so many milliseconds. */
  isQuick(withinMs: number, now: number): boolean {
    const rounds = Math.ceil((this.waiting + this.inFlight.size + 1) / this.limits.maxInFlight);
    return this.breaker.failures === 0 && !this.limits.ratePerSecond && rounds * this.usualMs < withinMs && this.hasRoom(now);
  }

  /** The delivery has not been attempted after so many milliseconds: the endpoint's doing, if its attempt is in flight. */
  noteSlow(delivery: DueDelivery, ms: number): void {
    if (this.inFlight.has(delivery)) this.usualMs = Math.max(this.usualMs, ms);
  }

  /** Claims and events that come again may bring one twice: it waits once, under the newer lease. */
  add(delivery: DueDelivery): void {
    if (this.ids.has(delivery.id)) return this.renew(delivery);
    this.ids.add(delivery.id);
    (delivery.attempts === 0 ? this.firsts : this.retries).push(delivery);
  }

  /** The same as urgent. */
  addUrgent(delivery: DueDelivery): void {
    const before = this.forget(delivery.id);
    if (this.ids.has(delivery.id)) return;
    const newest = before && before.leasedUntil > delivery.leasedUntil ? before : delivery;
    this.ids.add(newest.id);
    this.hurried.add(newest);
    this.urgent.push(newest);
  }

  /** Makes one that waits urgent. @returns false when it does not wait here */
  hurry(deliveryId: string): boolean {
    const waiting = this.queues.flat().find(({ id }) => id === deliveryId);
    if (waiting && !this.urgent.includes(waiting)) this.addUrgent(waiting);
    return waiting !== undefined;
  }

  /** Gives back what has waited so long that its lease does not cover an attempt any more, before it costs a slot of the rate. */
  letGo(isStale: (delivery: DueDelivery) => boolean): DueDelivery[] {
    // Asked before each start, and hardly ever so.
    if (!this.queues.some(([first]) => first && isStale(first))) return [];
    return this.queues.flatMap((queue) => {
      const firstFresh = queue.findIndex((delivery) => !isStale(delivery));
      return this.emptied([queue], firstFresh < 0 ? queue.length : firstFresh);
    });
  }

  /** Takes the next delivery to attempt, or nothing when none may start. Each one taken must be ended. */
  start(now: number): DueDelivery | undefined {
    const { ratePerSecond, maxInFlight } = this.limits;
    // Further away it is only when the clock has been set back.
    if (ratePerSecond) this.nextSlotAt = Math.min(this.nextSlotAt, now + 1_000 / ratePerSecond);
    if (this.inFlight.size >= maxInFlight || now < this.nextSlotAt) return undefined;
    const delivery = this.pick(now);
    if (!delivery) return undefined;
    if (ratePerSecond) this.nextSlotAt = Math.max(now, this.nextSlotAt) + 1_000 / ratePerSecond;
    this.inFlight.set(delivery, now);
    return delivery;
  }

  /** @param ownMs of the attempt's time, what this process kept it waiting */
  end(delivery: DueDelivery, outcome: Outcome | undefined, now: number, ownMs: number): void {
    const startedAt = this.inFlight.get(delivery) ?? now;
    this.inFlight.delete(delivery);
    this.ids.delete(delivery.id);
    if (!outcome || this.foreign.has(delivery)) return;
    const after = afterOutcome(this.breaker, outcome, startedAt, now);
    const wasLeftAlone = isHalfOpen(this.breaker) || startedAt < this.breaker.openUntil;
    const saysNothingNew = this.hurried.has(delivery) && wasLeftAlone && !isSuccess(outcome);
    this.breaker = saysNothingNew ? { ...this.breaker, askedUntil: after.askedUntil } : after;
    this.usualMs += (Math.max(0, outcome.durationMs - ownMs) - this.usualMs) / 8;
  }

  /** When something that waits may start for which nothing but time is missing; undefined when an end must come first. */
  nextStartAt(now: number): number | undefined {
    if (this.waiting === 0 || this.inFlight.size >= this.limits.maxInFlight) return undefined;
    const isUrgent = this.urgent.length > 0;
    const at = Math.max(this.nextSlotAt, isUrgent ? this.breaker.askedUntil : pauseEnd(this.breaker));
    return at > now && (isUrgent || mayStart(this.breaker, this.inFlight.size, at)) ? at : undefined;
  }

  /** Of a pause that its row tells of, which another replica may have asked for: once it is over, one attempt at a time has to find out. */
  notePause(until: number): void {
    if (until <= this.pauseSeen) return;
    this.pauseSeen = until;
    this.breaker = onTrial(this.breaker);
  }

  /** Until when the endpoint is left alone, if it is. */
  pausedUntil(now: number): number | undefined {
    const end = pauseEnd(this.breaker);
    return end > now ? end : undefined;
  }

  /**
   * While it is left alone, until when its deliveries are not due. A pause that was asked for is kept by the endpoint's row, where
   * it can be ended: they are held back only for as long as it may take to be written there.
   */
  heldBackUntil(now: number): number {
    const { openUntil, askedUntil } = this.breaker;
    return Math.max(openUntil, Math.min(askedUntil, now + recordedWithinMs));
  }

  /** The endpoint has changed: what is known of it is not true any more. */
  startAnew(): void {
    this.breaker = closedBreaker;
    this.usualMs = assumedMs;
    for (const delivery of this.inFlight.keys()) this.foreign.add(delivery);
  }

  /** Gives back everything that waits. */
  empty(): DueDelivery[] {
    return this.emptied(this.queues);
  }

  /** Gives back what waits for the end of a pause. */
  emptyForPause(now: number): DueDelivery[] {
    return this.emptied(now < this.breaker.askedUntil ? this.queues : [this.firsts, this.retries]);
  }

  /** Lets go of one that waits. @returns it, if it does */
  forget(deliveryId: string): DueDelivery | undefined {
    for (const queue of this.queues) {
      const index = queue.findIndex(({ id }) => id === deliveryId);
      if (index < 0) continue;
      this.ids.delete(deliveryId);
      return queue.splice(index, 1)[0];
    }
    return undefined;
  }

  private renew(delivery: DueDelivery): void {
    for (const queue of this.queues) {
      const index = queue.findIndex(({ id }) => id === delivery.id);
      if (index < 0 || queue[index]!.leasedUntil >= delivery.leasedUntil) continue;
      queue[index] = delivery;
      if (queue === this.urgent) this.hurried.add(delivery);
    }
  }

  private emptied(queues: DueDelivery[][], count = Infinity): DueDelivery[] {
    const left = queues.flatMap((queue) => queue.splice(0, count));
    for (const { id } of left) this.ids.delete(id);
    return left;
  }

  private pick(now: number): DueDelivery | undefined {
    if (this.urgent.length > 0 && now >= this.breaker.askedUntil) return this.urgent.shift();
    if (this.waiting === 0 || !mayStart(this.breaker, this.inFlight.size, now)) return undefined;
    this.picks += 1;
    const isRetryTurn = this.picks % retryTurn === 0;
    const [preferred, other] = isRetryTurn ? [this.retries, this.firsts] : [this.firsts, this.retries];
    return preferred.shift() ?? other.shift();
  }
}
