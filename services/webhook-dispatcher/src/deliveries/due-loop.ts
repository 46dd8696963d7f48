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

/** What the loop needs of the delivery store. */
export interface DueDeliveries {
  /** Leases up to `limit` due deliveries, some of each endpoint. */
  claimDue(now: Date, limit: number, endpoints: ClaimedEndpoints): Promise<DueDelivery[]>;
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

/** Most that one claim takes of one endpoint, so that each gets its share of it. With 50, a backlog of one drained half as fast. */
export const shareOfEndpoint = 250;

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
      if (ms <= 0) return;
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
    await this.lanes.bring(claiming.then((found) => found.filter(({ id }) => !this.unrecorded.holds(id))));
    const claimed = await claiming;
    if (claimed.length >= claimLimit || hasFullShare(claimed)) return now.getTime();
    // By now the lanes hold what was claimed: one that this has filled tells when it has room again.
    const next = await this.due.nextDueAt(this.lanes.full());
    const nextAt = next && next <= now ? now.getTime() + takenElsewhereMs : (next?.getTime() ?? Infinity);
    return Math.min(now.getTime() + pollMs, nextAt, this.lanes.nextPauseEnd(now.getTime()));
  }
}

/** Some endpoint was given all that one claim gives, so there may be more of it. */
function hasFullShare(claimed: DueDelivery[]): boolean {
  const counts = new Map<string, number>();
  for (const { target } of claimed) counts.set(target.endpointId, (counts.get(target.endpointId) ?? 0) + 1);
  return [...counts.values()].some((count) => count >= shareOfEndpoint);
}

/** What is due and was not claimed is just being taken by another replica: without a pause the loop would spin on it. */
const takenElsewhereMs = 20;
