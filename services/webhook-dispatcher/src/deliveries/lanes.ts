// One lane for each endpoint: a bounded queue and a cap on attempts in flight, so that an endpoint that hangs fills its
// own lane and nothing else.
import type { Clock } from '@na/service-host';
import type { DueDelivery } from './delivery.js';

export interface LaneLimits {
  /** Most attempts at the same time. */
  maxInFlight: number;
  /** Most deliveries waiting in memory; the others wait in the database. */
  maxWaiting: number;
}

interface Lane {
  waiting: DueDelivery[];
  inFlight: number;
}

export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  private stopping = false;
  private idle?: () => void;

  /** @param attempt must not reject: what goes wrong with one delivery is its own affair */
  constructor(
    private readonly limits: LaneLimits,
    private readonly attempt: (delivery: DueDelivery) => Promise<void>,
    private readonly clock: Clock,
  ) {}

  hasRoom(endpointId: string): boolean {
    return !this.stopping && (this.lanes.get(endpointId)?.waiting.length ?? 0) < this.limits.maxWaiting;
  }

  /** Endpoints that nothing more should be fetched for. */
  full(): string[] {
    return [...this.lanes.keys()].filter((endpointId) => !this.hasRoom(endpointId));
  }

  add(delivery: DueDelivery): void {
    const { endpointId } = delivery.target;
    const lane = this.lanes.get(endpointId) ?? { waiting: [], inFlight: 0 };
    this.lanes.set(endpointId, lane);
    lane.waiting.push(delivery);
    this.advance(endpointId, lane);
  }

  /** Starts nothing more and waits for what is in flight. @returns what was waiting and still has its lease */
  async stop(): Promise<DueDelivery[]> {
    this.stopping = true;
    const left = [...this.lanes.values()].flatMap((lane) => lane.waiting.splice(0));
    if ([...this.lanes.values()].some(({ inFlight }) => inFlight > 0)) await new Promise<void>((resolve) => (this.idle = resolve));
    return left;
  }

  private advance(endpointId: string, lane: Lane): void {
    while (lane.inFlight < this.limits.maxInFlight && lane.waiting.length > 0) {
      const delivery = lane.waiting.shift()!;
      if (this.isLeaseTooShort(delivery)) continue;
      lane.inFlight += 1;
      void this.attempt(delivery).finally(() => {
        lane.inFlight -= 1;
        this.advance(endpointId, lane);
      });
    }
    if (lane.inFlight === 0 && lane.waiting.length === 0) this.lanes.delete(endpointId);
    if (this.stopping && ![...this.lanes.values()].some(({ inFlight }) => inFlight > 0)) this.idle?.();
  }

  /** Once the lease is over another replica may attempt it; the due loop will bring it back to one of us. */
  private isLeaseTooShort({ leasedUntil, target }: DueDelivery): boolean {
    return this.clock.now().getTime() + target.timeoutMs > leasedUntil.getTime();
  }
}
