// A lane for each endpoint, so that one that hangs, fails or floods fills its own lane and nothing else; and one bound on
// all attempts of this replica, shared in turns.
import type { Clock } from '@na/service-host';
import type { DueDelivery, Target } from './delivery.js';
import { Lane, type LaneLimits } from './lane.js';
import type { Outcome } from './send.js';

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
  /** Called when an endpoint that had no room has some again, or it is known when it will. */
  onRoom: () => void;
  /** How many replicas share an endpoint's rate. */
  replicas: () => number;
}

/** Half of the budget within which a delivery is attempted before it is written. */
const quickMs = 50;

export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  /** Endpoints whose lane could start something but for the bound on all; served in turns. */
  private readonly queue = new Set<string>();
  /** Endpoints that had no room for something, which now waits in the database. */
  private readonly turnedAway = new Set<string>();
  private inFlight = 0;
  private stopping = false;
  private idle?: () => void;

  constructor(
    private readonly options: LanesOptions,
    private readonly work: LanesWork,
    private readonly clock: Clock,
  ) {}

  hasRoom(endpointId: string): boolean {
    if (this.stopping) return false;
    const hasRoom = this.lanes.get(endpointId)?.hasRoom(this.now()) ?? true;
    if (!hasRoom) this.turnedAway.add(endpointId);
    return hasRoom;
  }

  /** Endpoints that nothing more should be fetched for. */
  full(): string[] {
    return [...this.lanes.keys()].filter((endpointId) => !this.hasRoom(endpointId));
  }

  /** Whether a delivery added now is likely to be done in a moment. */
  isQuick(endpointId: string): boolean {
    return !this.stopping && (this.lanes.get(endpointId)?.isQuick(quickMs, this.now()) ?? true);
  }

  noteSlow(endpointId: string): void {
    this.lanes.get(endpointId)?.noteSlow(quickMs);
  }

  /** When the next pause of an endpoint is over, in Unix milliseconds; Infinity when none is paused. */
  nextPauseEnd(now: number): number {
    return Math.min(...[...this.lanes.values()].map((lane) => lane.pausedUntil(now) ?? Infinity));
  }

  add(delivery: DueDelivery): void {
    const { endpointId } = delivery.target;
    const limits = this.limitsOf(delivery.target);
    const lane = this.lanes.get(endpointId) ?? new Lane(limits);
    lane.limits = limits;
    this.lanes.set(endpointId, lane);
    lane.add(delivery);
    this.advance(endpointId);
  }

  /** Starts nothing more, gives back what waits, and waits for what is in flight. */
  async stop(): Promise<void> {
    this.stopping = true;
    const left = [...this.lanes.values()].flatMap((lane) => lane.empty());
    if (left.length > 0) await this.work.giveBack(left, this.clock.now());
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  private advance(endpointId: string): void {
    this.queue.add(endpointId);
    for (const id of this.queue) {
      if (this.inFlight >= this.options.maxInFlight || this.stopping) return;
      // Out and, if there is more, in again at the end: lanes take turns.
      this.queue.delete(id);
      if (this.startOne(id)) this.queue.add(id);
    }
  }

  private startOne(endpointId: string): boolean {
    const lane = this.lanes.get(endpointId);
    if (!lane) return false;
    const now = this.now();
    const delivery = lane.start(now);
    if (!delivery) {
      this.comeBack(endpointId, lane, now);
      return false;
    }
    this.inFlight += 1;
    // Once the lease is over another replica may attempt it; the due loop will bring it back to one of us.
    const attempt = isLeaseTooShort(delivery, now) ? Promise.resolve(undefined) : this.work.attempt(delivery);
    // Should an attempt reject after all, its place must not stay taken.
    void attempt.catch(() => undefined).then((outcome) => this.end(endpointId, lane, outcome));
    return true;
  }

  private end(endpointId: string, lane: Lane, outcome: Outcome | undefined): void {
    const now = this.now();
    this.inFlight -= 1;
    lane.end(outcome, now);
    this.rest(lane, now);
    if (lane.isForgettable(now)) this.lanes.delete(endpointId);
    // At half, so that the due loop is not asked for every single place that falls free.
    if (lane.waiting <= lane.limits.maxWaiting / 2 && lane.hasRoom(now) && this.turnedAway.delete(endpointId)) this.work.onRoom();
    this.advance(endpointId);
    if (this.stopping && this.inFlight === 0) this.idle?.();
  }

  /** While an endpoint is left alone its deliveries wait in the database, not in memory. */
  private rest(lane: Lane, now: number): void {
    const until = lane.pausedUntil(now);
    if (until === undefined) return;
    const left = lane.empty();
    if (left.length > 0) void this.work.giveBack(left, new Date(until));
    // The due loop takes the end of the pause into its plan.
    this.work.onRoom();
  }

  /** Looks again when nothing but time is missing: the next slot of a rate, or the end of a pause. */
  private comeBack(endpointId: string, lane: Lane, now: number): void {
    const at = lane.nextStartAt(now);
    if (at === undefined || lane.isAwaited) return;
    lane.isAwaited = true;
    void this.clock.wait(at - now).then(() => {
      lane.isAwaited = false;
      this.advance(endpointId);
    });
  }

  private limitsOf({ maxInFlight, rateLimitPerSecond }: Target): LaneLimits {
    return {
      maxInFlight: maxInFlight ?? this.options.maxInFlightPerEndpoint,
      maxWaiting: this.options.maxWaitingPerEndpoint,
      ratePerSecond: rateLimitPerSecond === undefined ? undefined : rateLimitPerSecond / this.work.replicas(),
    };
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

function isLeaseTooShort({ leasedUntil, target }: DueDelivery, now: number): boolean {
  return now + target.timeoutMs > leasedUntil.getTime();
}
