// Brings deliveries whose time has come, or whose replica has died, from the database into the lanes.
import type { Clock, Logger } from '@na/service-host';
import type { DueDelivery } from './delivery.js';
import type { Lanes } from './lanes.js';

/** What the loop needs of the delivery store. */
export interface DueDeliveries {
  /** Leases up to `limit` due deliveries, oldest due first, leaving out those of the named endpoints. */
  claimDue(now: Date, limit: number, exceptEndpoints: string[]): Promise<DueDelivery[]>;
  nextDueAt(): Promise<Date | undefined>;
}

export interface Succession {
  /** Makes due at once what dead replicas had leased. */
  takeOver(now: Date): Promise<void>;
}

const claimLimit = 200;

/** Longest pause: how late a delivery may be found that another replica scheduled or left behind. */
const pollMs = 1_000;

export class DueLoop {
  private readonly stopped = new AbortController();
  private pause = new AbortController();
  private pausedUntil = Infinity;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly due: DueDeliveries,
    private readonly succession: Succession,
    private readonly lanes: Lanes,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.work = this.run();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    this.pause.abort();
    await this.work;
  }

  /** Tells of a retry scheduled by this replica, so that it is not found late. */
  expect(at: Date): void {
    if (at.getTime() < this.pausedUntil) this.pause.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      this.pause = new AbortController();
      const pauseMs = await this.claimAll().catch((error: unknown) => {
        this.logger.warn({ err: error }, 'due deliveries could not be fetched; trying again');
        return pollMs;
      });
      this.pausedUntil = this.clock.now().getTime() + pauseMs;
      if (pauseMs > 0) await this.clock.wait(pauseMs, AbortSignal.any([this.pause.signal, this.stopped.signal]));
      this.pausedUntil = Infinity;
    }
  }

  /** @returns how long to pause until the next, in milliseconds */
  private async claimAll(): Promise<number> {
    await this.succession.takeOver(this.clock.now());
    const claimed = await this.due.claimDue(this.clock.now(), claimLimit, this.lanes.full());
    for (const delivery of claimed) this.lanes.add(delivery);
    if (claimed.length === claimLimit) return 0;
    const next = await this.due.nextDueAt();
    const untilNext = next ? next.getTime() - this.clock.now().getTime() : pollMs;
    return Math.min(pollMs, Math.max(untilNext, minPauseMs));
  }
}

/** Due deliveries of full lanes stay due: without a pause the loop would spin on them. */
const minPauseMs = 20;
