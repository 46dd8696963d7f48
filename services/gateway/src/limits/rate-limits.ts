// Limits how many requests each key makes, over all gateways together: none of them admits what another has admitted.
//
// In each window at most the limit is admitted, whatever races. Fewer are only while another gateway holds an unused share:
// at most a sixteenth of the limit for each of the others. When the database can't be reached, each gateway takes for
// itself what was left as it last knew: at most the limit per gateway.
import type { Clock } from '@na/service-host';
import { LRUCache } from 'lru-cache';
import type { Reservations } from './reservations.js';
import { isFor, takeOne, windowAt, type Quota, type RateDecision, type Window } from './rate-window.js';

/** About 300 bytes each. A key beyond it asks once more, and leaves the share it had unused. */
const maxKeys = 100_000;

export class RateLimits {
  private readonly windows = new LRUCache<string, Window>({ max: maxKeys });
  /** At most one per key, so that a statement names no key twice. */
  private readonly reserving = new Map<string, Promise<void>>();

  constructor(
    private readonly reservations: Pick<Reservations, 'reserve'>,
    private readonly clock: Clock,
  ) {}

  /** What needs no I/O, as most requests: undefined when something has to be reserved first. */
  takeAtOnce(keyId: string, quota: Quota): RateDecision | undefined {
    const nowMs = this.clock.now().getTime();
    return takeOne(this.windowOf(keyId, quota, nowMs), nowMs);
  }

  /**
   * Each turn either decides or has something reserved, so that it ends when the window is used up. It stays with its window for as long
   * as that lasts: while a limit is being changed, requests with the one and the other would take each other's away for ever.
   */
  async take(keyId: string, quota: Quota): Promise<RateDecision> {
    for (let window: Window | undefined; ; ) {
      const nowMs = this.clock.now().getTime();
      window = window && isFor(window, quota, nowMs) ? window : this.windowOf(keyId, quota, nowMs);
      const decision = takeOne(window, nowMs);
      if (decision) return decision;
      await this.reserve(window);
    }
  }

  private windowOf(keyId: string, quota: Quota, nowMs: number): Window {
    const window = this.windows.get(keyId);
    if (window && isFor(window, quota, nowMs)) return window;
    const fresh = windowAt(keyId, quota, nowMs, window);
    this.windows.set(keyId, fresh);
    return fresh;
  }

  /** Resolves when something has been reserved for it, or for another window of its key: then it is its turn to ask. */
  private reserve(window: Window): Promise<void> {
    const { keyId } = window;
    const underWay = this.reserving.get(keyId);
    if (underWay) return underWay;
    const reservation = this.reserveShare(window).finally(() => this.reserving.delete(keyId));
    this.reserving.set(keyId, reservation);
    return reservation;
  }

  private async reserveShare(window: Window): Promise<void> {
    const { share, unreserved } = (await this.reservations.reserve(window)) ?? { share: window.unreserved, unreserved: 0 };
    window.isAsked = true;
    window.left += share;
    window.unreserved = unreserved;
  }
}
