// Switching endpoints off and on by hand, and what one missed while it was off.
import type { Clock } from '@na/service-host';
import type { Count, Counting } from '../counting.js';
import { unblemished, type Endpoint } from './endpoint.entity.js';
import type { EndpointStore } from './endpoint-store.js';
import { countMissedEvents } from './missed-events.js';

export interface Enabled {
  endpoint: Endpoint;
  missed: Count;
  /** Unset when it missed nothing. */
  missedSince?: Date;
}

export class Switching {
  constructor(
    private readonly store: EndpointStore,
    private readonly counting: Counting,
    private readonly clock: Clock,
    /** Tells the due loop that deliveries may have become due. */
    private readonly wake: () => void,
  ) {}

  /**
   * Begins its health anew, and ends a pause that it had asked for; an attempt that is in flight changes neither any more. What waited for it goes on; what it missed is only counted,
   * and sent by a replay. Owners who know of its failures are told when it has recovered, with the first success.
   * @param isRepeat an earlier try of the same request may have enabled it already: what it missed is told again
   */
  async enable(workspaceId: string, id: string, isRepeat: boolean): Promise<Enabled> {
    const { before, after } = await this.store.change(workspaceId, id, (endpoint) => ({
      ...(endpoint.status === 'enabled' ? { pausedUntil: null } : enabledAgain(endpoint)),
      enabledAt: this.clock.now(),
    }));
    this.wake();
    const since = before.disabledAt ?? (isRepeat ? before.missedSince : null);
    if (!since) return { endpoint: after, missed: { count: 0, isPartial: false } };
    // What happened in the millisecond of the enabling may have been missed.
    const until = new Date(this.clock.now().getTime() + 1);
    const missed = await this.counting.count(workspaceId, { since, until }, (tx, part) => countMissedEvents(tx, after, part));
    return { endpoint: after, missed, missedSince: missed.count > 0 || missed.isPartial ? since : undefined };
  }

  /** Of one that is off already only the reason changes, if there is another: since when it misses events must not be lost. */
  async disable(workspaceId: string, id: string, reason: string): Promise<Endpoint> {
    const { after } = await this.store.change(workspaceId, id, ({ disabledAt, disabledReason }) => ({
      status: 'disabled',
      disabledReason: reason || (disabledAt && disabledReason) || 'It was disabled by hand.',
      disabledAt: disabledAt ?? this.clock.now(),
    }));
    return after;
  }
}

function enabledAgain({ failedBefore, failedAttempts, toldSince, disabledAt }: Endpoint): Partial<Endpoint> {
  return { ...unblemished, missedSince: disabledAt, failedBefore: toldSince ? failedBefore + failedAttempts : 0 };
}
