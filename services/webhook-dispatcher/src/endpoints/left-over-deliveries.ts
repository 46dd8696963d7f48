// Ends what a deleted endpoint was still to be sent: at once what is there, and afterwards what was being written, or had its
// attempt in flight, while it was deleted.
import { inWorkspace, type Host } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { Databases } from '../database.js';

const lookEveryMs = 60_000;

/** An attempt in flight at the deletion is recorded seconds later; after an outage of the database, hours. */
const lookBackMs = 86_400_000;

export class LeftOverDeliveries {
  private readonly stopped = new AbortController();

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
   * afterwards. Never rejects: what is not cancelled now is found later.
   */
  async cancelOf(workspaceId: string, endpointId: string): Promise<void> {
    await this.try(() => inWorkspace(this.database, workspaceId, (tx) => this.cancel(tx, '(SELECT $1::text AS id)', endpointId)));
  }

  private async run(): Promise<void> {
    const { clock } = this.host;
    for (let since = new Date(0); !this.stopped.signal.aborted; since = new Date(clock.now().getTime() - lookBackMs)) {
      await this.try(() => this.cancel(this.everywhere, '(SELECT id FROM endpoints WHERE deleted_at >= $1::timestamptz)', since));
      await clock.wait(lookEveryMs, this.stopped.signal);
    }
  }

  /** Passes over what someone is just writing, in an order of their own. */
  private async cancel(tx: Pick<EntityManager, 'query'>, endpoints: string, parameter: unknown): Promise<void> {
    await tx.query(
      `UPDATE deliveries d SET status = 'cancelled', due_at = NULL, leased_by = NULL, next_attempt_at = NULL, completed_at = $2
       FROM (
         SELECT u.id, u.event_at FROM ${endpoints} p CROSS JOIN LATERAL (
           SELECT id, event_at FROM deliveries WHERE endpoint_id = p.id AND due_at IS NOT NULL FOR UPDATE SKIP LOCKED
         ) u
       ) AS unfinished
       WHERE d.id = unfinished.id AND d.event_at = unfinished.event_at`,
      [parameter, this.host.clock.now()],
    );
  }

  private async try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.host.logger.warn({ err: error }, 'deliveries of deleted endpoints could not be cancelled; trying again later');
    }
  }
}
