// A lane for each endpoint, so that one that hangs, fails or floods fills its own lane and nothing else; and one bound on
// all attempts of this replica, shared between workspaces, and between the endpoints of each.
import type { Clock } from '@na/service-host';
import { LRUCache } from 'lru-cache';
import type { DueDelivery, Target } from './delivery.js';
import { EndpointTurns } from './endpoint-turns.js';
import { leaseMs } from './fan-out.js';
import { Lane, type LaneLimits } from './lane.js';
import type { LoopLag } from './loop-lag.js';
import type { Outcome } from './outcome.js';
import { Slots } from './slots.js';
import { Transfers } from './transfers.js';

export interface LanesOptions {
  /** Of an endpoint that says nothing else. */
  maxInFlightPerEndpoint: number;
  maxWaitingPerEndpoint: number;
  /** Over all endpoints. */
  maxInFlight: number;
}

export interface LanesWork {
  /** Makes an attempt; must not reject. Resolves with undefined when it came to none. */
  attempt: (delivery: DueDelivery) => Promise<Outcome | undefined>;
  /** Gives leases back: the deliveries wait in the database, until the given time at least. */
  giveBack: (deliveries: DueDelivery[], until: Date) => Promise<void>;
  /** Called when an endpoint that had no room has some again. */
  onRoom: () => void;
  /** Called when an endpoint is left alone until then. */
  onPause: (until: Date) => void;
  /** How many replicas share an endpoint's rate. */
  replicas: () => number;
}

/** Half of the budget within which a delivery is attempted before it is written. */
const quickMs = 50;

/** Idle lanes are kept for what they know of their endpoints; of about 1 KB each. */
const maxIdle = 10_000;

export class Lanes {
  /** Those with something in them, and those of endpoints that are left alone for now. */
  private readonly lanes = new Map<string, Lane>();
  private readonly idle = new LRUCache<string, Lane>({ max: maxIdle });
  /** Endpoints whose lane may have something to start. */
  private readonly turns = new EndpointTurns();
  /** Endpoints whose turn comes when a place has been given back: those with their share of all places, and last who gave it back. */
  private readonly later = new Map<string, Lane>();
  /** Endpoints that had no room for something, which now waits in the database. */
  private readonly turnedAway = new Set<string>();
  /** Endpoints whose lane was open or half-open when an attempt last ended. */
  private readonly failing = new Set<string>();
  private readonly slots: Slots;
  private readonly arrivals = new Transfers();
  private readonly departures = new Transfers();
  private nextTurn?: NodeJS.Immediate;
  private stopping = false;

  constructor(
    private readonly options: LanesOptions,
    private readonly work: LanesWork,
    private readonly clock: Clock,
    private readonly lag: LoopLag,
  ) {
    this.slots = new Slots(options.maxInFlight, quickMs, () => this.advance());
  }

  hasRoom(endpointId: string): boolean {
    if (this.stopping) return false;
    const hasRoom = this.laneOf(endpointId)?.hasRoom(this.now()) ?? true;
    if (!hasRoom) this.turnedAway.add(endpointId);
    return hasRoom;
  }

  /** Call before fetching: endpoints whose pause is over are not left out any more, and need no one to tell of their room. */
  tidy(): void {
    const now = this.now();
    for (const [endpointId, lane] of this.lanes) if (this.putAside(endpointId, lane, now)) this.turnedAway.delete(endpointId);
  }

  /** Endpoints that nothing more should be fetched for. */
  full(): string[] {
    return [...this.lanes.keys()].filter((endpointId) => !this.hasRoom(endpointId));
  }

  /** Endpoints of which no more than one should be fetched: it has to find out whether they are well again. */
  onTrial(): string[] {
    for (const endpointId of this.failing) if (!this.laneOf(endpointId)?.takesOne) this.failing.delete(endpointId);
    return [...this.failing];
  }

  /** Whether a delivery added now is likely to be done in a moment. */
  isQuick(endpointId: string): boolean {
    if (this.stopping) return false;
    const lane = this.laneOf(endpointId);
    return !lane || (lane.isQuick(quickMs, this.now()) && !this.hasShare(lane));
  }

  /** For metrics. */
  load(): { inFlight: number; waiting: number; pausedEndpoints: number } {
    const lanes = [...this.lanes.values()];
    const now = this.now();
    return {
      inFlight: this.slots.taken,
      waiting: lanes.reduce((sum, lane) => sum + lane.waiting, 0),
      pausedEndpoints: lanes.filter((lane) => lane.pausedUntil(now) !== undefined).length,
    };
  }

  /** The delivery has not been attempted by the end of its budget. */
  noteSlow(delivery: DueDelivery): void {
    this.lanes.get(delivery.target.endpointId)?.noteSlow(delivery, quickMs);
  }

  /** Whether the endpoint will still be left alone then: the end of its pause brings what is due before it. */
  isPausedAt(endpointId: string, at: Date): boolean {
    return this.lanes.get(endpointId)?.pausedUntil(at.getTime()) !== undefined;
  }

  /** When the next pause of an endpoint is over, in Unix milliseconds; Infinity when none is paused. */
  nextPauseEnd(now: number): number {
    let end = Infinity;
    for (const lane of this.lanes.values()) end = Math.min(end, lane.pausedUntil(now) ?? Infinity);
    return end;
  }

  add(delivery: DueDelivery): void {
    const lane = this.laneFor(delivery);
    lane.add(delivery);
    this.takeTurn(lane, delivery.target.endpointId);
  }

  /** Adds what arrives. Until it has, `withdraw` and `withdrawOne` wait for it. */
  bring(arrival: Promise<DueDelivery[]>): Promise<void> {
    return this.arrivals.track(
      arrival.then((deliveries) => {
        for (const delivery of deliveries) this.add(delivery);
      }),
    );
  }

  /** The same with one that goes before all others of its endpoint, and at once though that is left alone because it fails. */
  bringUrgent(arrival: Promise<DueDelivery | undefined>): Promise<void> {
    return this.arrivals.track(
      arrival.then((delivery) => {
        if (!delivery) return;
        const lane = this.laneFor(delivery);
        lane.addUrgent(delivery);
        this.takeTurn(lane, delivery.target.endpointId);
      }),
    );
  }

  /** Gives back what waits for an endpoint, and what arrives: what is known of the endpoint is not true any more. */
  async withdraw(endpointId: string): Promise<void> {
    await this.giveBackOf(endpointId);
    await this.arrivals.settled();
    await this.giveBackOf(endpointId);
  }

  /**
   * Has a delivery that waits, or arrives, go before all others of its endpoint.
   * @returns false when it does not wait here; if it did, it has been given back by then
   */
  async hurry(endpointId: string, deliveryId: string): Promise<boolean> {
    if (this.hurryWaiting(endpointId, deliveryId)) return true;
    await Promise.all([this.arrivals.settled(), this.departures.settled()]);
    return this.hurryWaiting(endpointId, deliveryId);
  }

  /** Lets go of a delivery that waits; an attempt in flight goes on. */
  drop(endpointId: string, deliveryId: string): DueDelivery | undefined {
    return this.lanes.get(endpointId)?.forget(deliveryId);
  }

  /** The same, also of one that arrives, and gives it back. */
  async withdrawOne(endpointId: string, deliveryId: string): Promise<void> {
    const before = this.drop(endpointId, deliveryId);
    await this.arrivals.settled();
    const left = [before, this.drop(endpointId, deliveryId)].filter((delivery) => delivery !== undefined);
    if (left.length > 0) await this.giveBack(left, this.clock.now());
  }

  /** Starts nothing more, gives back what waits, and waits for what is in flight. */
  async stop(): Promise<void> {
    this.stopping = true;
    const left = [...this.lanes.values()].flatMap((lane) => lane.empty());
    if (left.length > 0) await this.giveBack(left, this.clock.now());
    await this.slots.untilIdle();
    await this.departures.settled();
  }

  private giveBack(deliveries: DueDelivery[], until: Date): Promise<void> {
    return this.departures.track(this.work.giveBack(deliveries, until));
  }

  private hurryWaiting(endpointId: string, deliveryId: string): boolean {
    const lane = this.lanes.get(endpointId);
    if (!lane) return false;
    this.letGoOfStale(lane, this.now());
    const isHurried = lane.hurry(deliveryId);
    if (isHurried) this.takeTurn(lane, endpointId);
    return isHurried;
  }

  private async giveBackOf(endpointId: string): Promise<void> {
    const lane = this.lanes.get(endpointId);
    const left = lane?.empty() ?? [];
    if (lane?.isIdle) this.lanes.delete(endpointId);
    else lane?.startAnew();
    this.idle.delete(endpointId);
    if (left.length > 0) await this.giveBack(left, this.clock.now());
  }

  /** Together with all others whose attempts end in the same turn of the event loop: starts made one after the other take less time. */
  private takeTurnLater(lane: Lane, endpointId: string): void {
    this.later.delete(endpointId);
    this.later.set(endpointId, lane);
    this.nextTurn ??= setImmediate(() => {
      this.nextTurn = undefined;
      for (const [id, waiting] of this.later) {
        if (this.mustWait(waiting)) continue;
        this.later.delete(id);
        this.turns.add(waiting.workspaceId, id);
      }
      this.advance();
    });
  }

  private takeTurn(lane: Lane, endpointId: string): void {
    this.turns.add(lane.workspaceId, endpointId);
    this.advance();
  }

  private advance(): void {
    while (!this.slots.areTaken && !this.stopping) {
      const endpointId = this.turns.next();
      if (endpointId === undefined) return;
      this.startOne(endpointId);
    }
  }

  /** If it does, the endpoint waits for another turn. */
  private startOne(endpointId: string): void {
    const lane = this.lanes.get(endpointId);
    if (!lane) return;
    const now = this.now();
    this.letGoOfStale(lane, now);
    if (this.mustWait(lane)) {
      this.rest(lane, now);
      this.later.set(endpointId, lane);
      return;
    }
    const delivery = lane.start(now);
    if (!delivery) {
      this.rest(lane, now);
      this.comeBack(endpointId, lane, now);
      return;
    }
    const giveSlotBack = this.slots.take(lane.workspaceId);
    const ended = (outcome?: Outcome) => {
      this.end(delivery, lane, outcome);
      giveSlotBack();
      this.takeTurnLater(lane, endpointId);
    };
    // Should an attempt reject after all, its place must not stay taken.
    void this.work.attempt(delivery).then(ended, () => ended());
    this.turns.add(lane.workspaceId, endpointId);
  }

  /** For others to give back places: it has its share of them. */
  private mustWait(lane: Lane): boolean {
    return lane.waiting > 0 && this.hasShare(lane);
  }

  private hasShare(lane: Lane): boolean {
    return this.slots.hasShare(lane.workspaceId, lane.underWay);
  }

  /** The due loop will bring it back to one of us. */
  private letGoOfStale(lane: Lane, now: number): void {
    const stale = lane.letGo((waiting) => isLeaseTooShort(waiting, now));
    if (stale.length === 0) return;
    void this.giveBack(stale, new Date(now)).then(() => this.work.onRoom());
  }

  private end(delivery: DueDelivery, lane: Lane, outcome: Outcome | undefined): void {
    const { endpointId } = delivery.target;
    const now = this.now();
    lane.end(delivery, outcome, now, this.lag.ownMs);
    if (lane.takesOne) this.failing.add(endpointId);
    this.rest(lane, now);
    // At half, so that the due loop is not asked for every single place that falls free.
    if (lane.waiting <= lane.limits.maxWaiting / 2 && lane.hasRoom(now) && this.turnedAway.delete(endpointId)) this.work.onRoom();
    this.putAside(endpointId, lane, now);
  }

  /** @returns whether there was nothing in it to be done */
  private putAside(endpointId: string, lane: Lane, now: number): boolean {
    if (!lane.isIdle || lane.pausedUntil(now) !== undefined) return false;
    this.lanes.delete(endpointId);
    this.idle.set(endpointId, lane);
    return true;
  }

  /** In it something will wait: it is among those that are looked after. */
  private laneFor({ workspaceId, target }: DueDelivery): Lane {
    const { endpointId } = target;
    const limits = this.limitsOf(target);
    const lane = this.laneOf(endpointId) ?? new Lane(workspaceId, limits);
    lane.limits = limits;
    if (target.pausedUntil) lane.notePause(target.pausedUntil.getTime());
    this.lanes.set(endpointId, lane);
    this.idle.delete(endpointId);
    return lane;
  }

  private laneOf(endpointId: string): Lane | undefined {
    return this.lanes.get(endpointId) ?? this.idle.get(endpointId);
  }

  /** While an endpoint is left alone its deliveries wait in the database, not in memory. */
  private rest(lane: Lane, now: number): void {
    const until = lane.pausedUntil(now);
    if (until === undefined) return;
    const left = lane.emptyForPause(now);
    if (left.length > 0) void this.giveBack(left, new Date(lane.heldBackUntil(now)));
    this.work.onPause(new Date(until));
  }

  /** Looks again when nothing but time is missing: the next slot of a rate, or the end of a pause. */
  private comeBack(endpointId: string, lane: Lane, now: number): void {
    const at = lane.nextStartAt(now);
    if (at === undefined || lane.isAwaited) return;
    lane.isAwaited = true;
    void this.clock.wait(at - now).then(() => {
      lane.isAwaited = false;
      this.takeTurn(lane, endpointId);
    });
  }

  private limitsOf({ maxInFlight, rateLimitPerSecond, timeoutMs }: Target): LaneLimits {
    const { maxInFlightPerEndpoint, maxWaitingPerEndpoint } = this.options;
    const limits = { maxInFlight: maxInFlight ?? maxInFlightPerEndpoint, maxWaiting: maxWaitingPerEndpoint };
    if (rateLimitPerSecond === undefined) return { ...limits, ratePerSecond: undefined };
    const ratePerSecond = rateLimitPerSecond / this.work.replicas();
    // No more than get their turn before their leases end: what waits longer would only be fetched again.
    const inTime = Math.ceil((ratePerSecond * (leaseMs - timeoutMs)) / 1_000);
    return { ...limits, maxWaiting: Math.max(1, Math.min(maxWaitingPerEndpoint, inTime)), ratePerSecond };
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

function isLeaseTooShort({ leasedUntil, target }: DueDelivery, now: number): boolean {
  return now + target.timeoutMs > leasedUntil.getTime();
}
