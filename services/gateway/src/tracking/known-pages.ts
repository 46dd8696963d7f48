// Which of the pages that hits name their workspace has. Reporting, which owns pages, is asked about those that are not
// remembered; what becomes of a hit is the intake's to say.
import type { Caller, PageService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import type { Host } from '@na/service-host';
import { LRUCache } from 'lru-cache';

type Pages = Pick<RpcClient<typeof PageService>, 'findUnknownPages'>;

/** As reporting takes them. */
const maxIdsPerCall = 100;

/** About 200 bytes each. Pages beyond it cost a look-up, those used longest ago first. */
const maxRemembered = 100_000;

/** Nothing deletes a page today, so that what was true once stays true. This is how long hits will still come in for one that is deleted, once it can be. */
const rememberedMs = 60_000;

/** A look-up takes milliseconds: reporting that needs longer is not well, and hits do not wait for it. */
const timeoutMs = 1_000;

/** Not asked for so long after it failed to answer: else every request would wait for the time-out. */
const pauseMs = 3_000;

export class KnownPages {
  /** Until when, by workspace and page. Never those that are unknown: the page may be made the moment after. */
  private readonly rememberedUntil = new LRUCache<string, number>({ max: maxRemembered });
  private pausedUntil = 0;

  constructor(
    private readonly pages: Pages,
    private readonly host: Pick<Host, 'clock' | 'logger'>,
  ) {}

  /**
   * Those of the ids that the caller's workspace has no page for. None of them while reporting can't say: an accepted hit is
   * durable whether reporting is up or not, so that hits are taken as they come, and it stores those of unknown pages without one.
   */
  async unknownAmong(caller: Caller, ids: string[]): Promise<Set<string>> {
    const asked = [...new Set(ids)].filter((id) => !this.isRemembered(caller, id));
    if (asked.length === 0 || this.now() < this.pausedUntil) return new Set();
    const chunks = Array.from({ length: Math.ceil(asked.length / maxIdsPerCall) }, (_, i) => asked.slice(i * maxIdsPerCall, (i + 1) * maxIdsPerCall));
    const unknown = await Promise.all(chunks.map((chunk) => this.ask(caller, chunk)));
    return new Set(unknown.flat());
  }

  private async ask(caller: Caller, ids: string[]): Promise<string[]> {
    try {
      const { unknownIds } = await this.pages.findUnknownPages({ caller, ids }, { timeoutMs });
      const until = this.now() + rememberedMs;
      for (const id of ids) if (!unknownIds.includes(id)) this.rememberedUntil.set(nameOf(caller, id), until);
      return unknownIds;
    } catch (error) {
      this.pausedUntil = this.now() + pauseMs;
      this.host.logger.warn({ err: error, pages: ids.length }, 'hits were not held against the pages of their workspace');
      return [];
    }
  }

  private isRemembered(caller: Caller, id: string): boolean {
    return this.now() < (this.rememberedUntil.get(nameOf(caller, id)) ?? 0);
  }

  private now(): number {
    return this.host.clock.now().getTime();
  }
}

function nameOf({ workspaceId }: Caller, id: string): string {
  return `${workspaceId} ${id}`;
}
