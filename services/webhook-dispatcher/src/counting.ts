// Counts that callers ask for, over windows in which there may be millions of rows: exact where that can be done in time, else
// "at least so many". One at a time, so that they never take all connections that callers share, and in turns between
// workspaces, so that one that asks for many holds up none but its own.
import { inWorkspace, Turns } from '@na/service-host';
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';

export interface Window {
  /** Included. */
  since: Date;
  /** Not included. */
  until: Date;
}

export interface Count {
  count: number;
  /** There was no time for all of the window: there are at least so many. */
  isPartial: boolean;
}

type CountIn = (tx: EntityManager, window: Window) => Promise<number>;

const dayMs = 86_400_000;

/** Waiting for its turn included. The gateway waits longer. */
const patienceMs = 10_000;

export class Counting {
  private readonly turns = new Turns(1);
  /** The newest count of each workspace that has any under way: the next one comes after it. */
  private readonly newest = new Map<string, Promise<Count>>();

  constructor(
    private readonly database: DataSource,
    private readonly longestCountMs = 3_000,
  ) {}

  /** @param countIn counts what lies in a part of the window, of a day at most */
  async count(workspaceId: string, window: Window, countIn: CountIn): Promise<Count> {
    const askedAt = performance.now();
    const before = this.newest.get(workspaceId)?.catch(() => undefined);
    const own = Promise.resolve(before).then(() =>
      this.turns.take(() => {
        const now = performance.now();
        return this.countUntil(Math.min(now + this.longestCountMs, askedAt + patienceMs), workspaceId, window, countIn);
      }),
    );
    this.newest.set(workspaceId, own);
    try {
      return await own;
    } finally {
      if (this.newest.get(workspaceId) === own) this.newest.delete(workspaceId);
    }
  }

  /** The newest day first: that is the one somebody waits for. @param deadline of performance.now */
  private async countUntil(deadline: number, workspaceId: string, { since, until }: Window, countIn: CountIn): Promise<Count> {
    let count = 0;
    for (let end = until; end > since; ) {
      const start = new Date(Math.max(since.getTime(), end.getTime() - dayMs));
      const leftMs = Math.ceil(deadline - performance.now());
      if (leftMs <= 0) return { count, isPartial: true };
      try {
        count += await inWorkspace(this.database, workspaceId, async (tx) => {
          await tx.query(`SET LOCAL statement_timeout = ${leftMs}`);
          return countIn(tx, { since: start, until: end });
        });
      } catch (error) {
        if (!ranOutOfTime(error)) throw error;
        return { count, isPartial: true };
      }
      end = start;
    }
    return { count, isPartial: false };
  }
}

const queryCanceled = '57014';

function ranOutOfTime(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: string }).code === queryCanceled;
}
