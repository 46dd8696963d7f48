// Ends what a deleted endpoint was still to be sent: at once the most of what is there, and afterwards the rest of a large
// backlog, and what was being written, or had its attempt in flight, while it was deleted.
import { inWorkspace, type Host } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { Databases } from '../database.js';

const lookEveryMs = 60_000;

/** An attempt in flight at the deletion is recorded seconds later; after an outage of the database, hours. */
const lookBackMs = 86_400_000;

/** Whoever records attempts of these waits for their locks: 30 ms with 300,000 deliveries in 40 days. */
const maxInOneTransaction = 1_000;

/** More than that is not worth having the caller wait for: nothing of a deleted endpoint is attempted any more. */
const stepsOfCaller = 3;

/** As the loops' connections have it: PostgreSQL would hash all deliveries there are to find the 1,000, with those locked. */
const alongIndexes = 'SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off';

export class LeftOverDeliveries {
  private readonly stopped = new AbortController();
  private woken = new AbortController();

  private constructor(
    private readonly database: DataSource,
    private readonly everywhere: DataSource,
    private readonly host: Host,
  ) {}

  /**
   * Looks at all deleted endpoints now, and every minute at those of the last day.
   * @param everywhere see `openAcrossWorkspaces`: for those looks, and nothing that a caller asks for
   */
  static start({ database, everywhere }: Databases, host: Host): LeftOverDeliveries {
    const leftOvers = new LeftOverDeliveries(database, everywhere, host);
    const work = leftOvers.run();
    host.onStop('left-over deliveries', () => {
      leftOvers.stopped.abort();
      return work;
    });
    return leftOvers;
  }

  /**
   * Call after the deletion is committed, not within it: whoever records attempts locks deliveries first and their endpoint
   * afterwards. Cancels 3,000 at most, and leaves what is more to be done behind the caller's back. Never rejects: what is not
   * cancelled now is found later.
   */
  async cancelOf(workspaceId: string, endpointId: string): Promise<void> {
    const step = () =>
      inWorkspace(this.database, workspaceId, async (tx) => {
        await tx.query(alongIndexes);
        return this.cancelSome(tx, '(SELECT $1::text AS id)', endpointId);
      });
    await this.try(async () => {
      for (let steps = 0; steps < stepsOfCaller; steps++) if ((await step()) < maxInOneTransaction) return;
      this.woken.abort();
    });
  }

  private async run(): Promise<void> {
    const { clock } = this.host;
    for (let since = new Date(0); !this.stopped.signal.aborted; since = new Date(clock.now().getTime() - lookBackMs)) {
      this.woken = new AbortController();
      await this.try(() => this.cancelAllSince(since));
      await clock.wait(lookEveryMs, AbortSignal.any([this.stopped.signal, this.woken.signal]));
    }
  }

  private async cancelAllSince(since: Date): Promise<void> {
    const step = () => this.cancelSome(this.everywhere, '(SELECT id FROM endpoints WHERE deleted_at >= $1::timestamptz)', since);
    while (!this.stopped.signal.aborted && (await step()) === maxInOneTransaction);
  }

  /**
   * Passes over what someone is just writing, in an order of their own.
   * @returns how many; fewer than 1,000 when no more are left that can be had
   */
  private async cancelSome(tx: Pick<EntityManager, 'query'>, endpoints: string, parameter: unknown): Promise<number> {
    const [, cancelled] = await tx.query<[unknown, number]>(
      `UPDATE deliveries d SET status = 'cancelled', due_at = NULL, leased_by = NULL, next_attempt_at = NULL, completed_at = $2
       FROM (
         SELECT u.id, u.event_at FROM ${endpoints} p CROSS JOIN LATERAL (
           SELECT id, event_at FROM deliveries WHERE endpoint_id = p.id AND due_at IS NOT NULL LIMIT ${maxInOneTransaction} FOR UPDATE SKIP LOCKED
         ) u LIMIT ${maxInOneTransaction}
       ) AS unfinished
       WHERE d.id = unfinished.id AND d.event_at = unfinished.event_at`,
      [parameter, this.host.clock.now()],
    );
    return cancelled;
  }

  private async try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.host.logger.warn({ err: error }, 'deliveries of deleted endpoints could not be cancelled; trying again later');
    }
  }
}
