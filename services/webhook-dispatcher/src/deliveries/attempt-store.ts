// Records attempts, in batches: the attempts, what they make of their deliveries, and what they mean for their endpoints.
import type { DataSource, EntityManager } from 'typeorm';
import type { EndpointOutcome } from '../health/health-store.js';
import { insertDeliveries, updateDeliveries, withoutRecorded } from './attempt-statements.js';
import type { AttemptedDelivery } from './delivery.js';
import { retryAfterMs } from './retry-after.js';
import { isGone, isSuccess } from './retry-policy.js';
import { receivedOf, type Outcome } from './outcome.js';

/** What recording needs of endpoint health. */
export interface Health<Signal> {
  /** Applies outcomes to the health of their endpoints, on the locked rows. */
  apply(tx: EntityManager, byEndpoint: Map<string, EndpointOutcome[]>): Promise<Signal[]>;
  /** Tells others what came of it; after the commit. */
  committed(signals: Signal[]): void;
}

/** What decides how an attempt is recorded. */
export interface RecordKind {
  isUnwritten: boolean;
  isSuccessful: boolean;
}

export function recordKindOf({ delivery, outcome }: AttemptedDelivery): RecordKind {
  return { isUnwritten: delivery.unwritten?.state === 'recording', isSuccessful: isSuccess(outcome) };
}

/** @returns which of the endpoints have been failing */
type Write = (tx: EntityManager, batch: AttemptedDelivery[]) => Promise<string[]>;

export class AttemptStore<Signal> {
  constructor(
    private readonly everywhere: DataSource,
    private readonly health: Health<Signal>,
  ) {}

  /**
   * What was attempted before it was written is inserted as it has become; the rest is brought up to date.
   * @param batch all of one kind, so that nothing is done again for the failure of another
   * @param isRepeat some or all of it may be there already: then it means nothing more for the health of endpoints
   */
  async record(batch: AttemptedDelivery[], kind: RecordKind, isRepeat: boolean): Promise<void> {
    if (kind.isUnwritten) return this.recordWith(insertDeliveries, batch, kind, isRepeat);
    // An insert as pending may still be under way; should it fail, the event comes again.
    await Promise.allSettled(batch.flatMap(({ delivery }) => delivery.unwritten?.settled.promise ?? []));
    return this.recordWith(updateDeliveries, batch, kind, isRepeat);
  }

  /** One transaction; in the ordinary case, all succeeded on endpoints that were well, one statement. */
  private async recordWith(write: Write, batch: AttemptedDelivery[], { isSuccessful }: RecordKind, isRepeat: boolean): Promise<void> {
    if (!isSuccessful) {
      const signals = await this.everywhere.transaction(async (tx) => {
        const unrecorded = isRepeat ? await withoutRecorded(tx, batch) : batch;
        await write(tx, batch);
        return this.health.apply(tx, outcomesByEndpoint(unrecorded));
      });
      this.health.committed(signals);
      return;
    }
    const failing = await write(this.everywhere.manager, batch);
    // Lost in a crash right here, a recovery is noticed with the next success.
    if (failing.length === 0) return;
    this.health.committed(await this.everywhere.transaction((tx) => this.health.apply(tx, outcomesByEndpoint(batch))));
  }
}

function outcomesByEndpoint(batch: AttemptedDelivery[]): Map<string, EndpointOutcome[]> {
  const byEndpoint = new Map<string, EndpointOutcome[]>();
  for (const { delivery, startedAt, endedAt, outcome } of batch) {
    const { endpointId } = delivery.target;
    const outcomes = byEndpoint.get(endpointId) ?? [];
    byEndpoint.set(endpointId, outcomes);
    outcomes.push({
      succeeded: isSuccess(outcome),
      gone: isGone(outcome),
      pausedUntil: pauseAskedFor(outcome, endedAt),
      url: delivery.target.url,
      at: startedAt,
      responseCode: receivedOf(outcome)?.status,
      error: outcome.kind === 'unanswered' ? outcome.error : undefined,
    });
  }
  return byEndpoint;
}

function pauseAskedFor(outcome: Outcome, endedAt: Date): Date | undefined {
  const ms = retryAfterMs(outcome, endedAt.getTime());
  return ms ? new Date(endedAt.getTime() + ms) : undefined;
}
