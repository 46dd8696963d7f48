// Attempts that are made at once, past the schedule and the lanes: those of test deliveries to endpoints that are disabled or paused,
// which both leave alone, or ordered. One for each delivery, whatever comes of it, and one at a time for each endpoint.
import type { DueDelivery } from './delivery.js';

export class DirectAttempts {
  /** By endpoint. */
  private readonly underWay = new Map<string, Promise<unknown>>();

  /** @param attempt makes it and sees to it that it is recorded; must not reject */
  constructor(
    /** Of this replica, in whose name such a delivery is leased: nobody else takes it up while it is under way. */
    readonly replica: number,
    private readonly attempt: (delivery: DueDelivery) => Promise<unknown>,
  ) {}

  isBusy(endpointId: string): boolean {
    return this.underWay.has(endpointId);
  }

  /** @param written puts the delivery into the database; undefined from one that is there already, and so is another's to attempt */
  async make(endpointId: string, written: Promise<DueDelivery | undefined>): Promise<void> {
    const attempted = written.then((delivery) => delivery && this.attempt(delivery)).catch(() => undefined);
    const settled: Promise<unknown> = attempted.finally(() => this.underWay.get(endpointId) === settled && this.underWay.delete(endpointId));
    this.underWay.set(endpointId, settled);
    await written;
  }

  /** Resolves when all that are under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay.values());
  }
}
