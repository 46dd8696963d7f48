// Brings deliveries whose time has come, or whose replica has died, from the database into the lanes.
import type { Clock, Logger } from '@na/service-host';
import type { DueDelivery } from './delivery.js';
import type { Lanes } from './lanes.js';

export interface ClaimedEndpoints {
  /** Those that have no room are left out. */
  except: string[];
  /** Of these one each. */
  onTrial: string[];
}

export interface Claimed {
  deliveries: DueDelivery[];
  /** More may be due that could be claimed at once. */
  hasMore: boolean;
}

/** What the loop needs of the delivery store. */
export interface DueDeliveries {
  /** Leases up to `limit` due deliveries, an equal share of each endpoint that has so many. */
  claimDue(now: Date, limit: number, endpoints: ClaimedEndpoints): Promise<Claimed>;
  nextDueAt(exceptEndpoints: string[]): Promise<Date | undefined>;
}

export interface Succession {
  /** Makes due at once what dead replicas had leased. */
  takeOver(now: Date): Promise<void>;
}

/** What the loop needs of the recorder. */
export interface Unrecorded {
  holds(deliveryId: string): boolean;
}

const claimLimit = 1_000;

/** Longest pause: how late a delivery may be found that another replica scheduled or left behind. */
const pollMs = 1_000;

export class DueLoop {
  private readonly stopped = new AbortController();
  private wait = new AbortController();
  /** When to look again, in Unix milliseconds. */
  private lookAt = Infinity;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly due: DueDeliveries,
    private readonly succession: Succession,
    private readonly unrecorded: Unrecorded,
    private readonly lanes: Lanes,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.work = this.run();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.work;
  }

  /**
   * Tells of something that this replica knows will be due, so that it is not found late. It is no reason to look before: failures
   * come by the hundred, each with its next attempt in some seconds.
   */
  expect(at: Date): void {
    if (at.getTime() >= this.lookAt) return;
    this.lookAt = at.getTime();
    this.wait.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      this.lookAt = Infinity;
      const planned = await this.claimAll().catch((error: unknown) => {
        this.logger.warn({ err: error }, 'due deliveries could not be fetched; trying again');
        return this.clock.now().getTime() + pollMs;
      });
      this.expect(new Date(planned));
      await this.untilLook();
    }
  }

  private async untilLook(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const ms = this.lookAt - this.clock.now().getTime();
      // It is further away only when the clock has been set back.
      if (ms <= 0 || ms > pollMs) return;
      this.wait = new AbortController();
      await this.clock.wait(ms, AbortSignal.any([this.wait.signal, this.stopped.signal]));
    }
  }

  /** @returns when to look again, in Unix milliseconds: counted from when this looked, whatever has happened meanwhile */
  private async claimAll(): Promise<number> {
    const now = this.clock.now();
    await this.succession.takeOver(now);
    this.lanes.tidy();
    const claiming = this.due.claimDue(now, claimLimit, { except: this.lanes.full(), onTrial: this.lanes.onTrial() });
    // After a long outage a lease may be over whose attempt was made but could not be recorded: it is not made again.
    await this.lanes.bring(claiming.then(({ deliveries }) => deliveries.filter(({ id }) => !this.unrecorded.holds(id))));
    if ((await claiming).hasMore) return now.getTime();
    // By now the lanes hold what was claimed: one that this has filled tells when it has room again.
    const next = await this.due.nextDueAt(this.lanes.full());
    const nextAt = next && next <= now ? now.getTime() + takenElsewhereMs : (next?.getTime() ?? Infinity);
    return Math.min(now.getTime() + pollMs, nextAt, this.lanes.nextPauseEnd(now.getTime()));
  }
}

/** What is due and was not claimed is just being taken by another replica: without a pause the loop would spin on it. */
const takenElsewhereMs = 20;
