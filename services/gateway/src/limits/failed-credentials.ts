// Bounds what somebody who tries keys out can cost: so many failures per client address and minute, and no look-up after
// that. Each replica counts for itself. Keys that cost no look-up are no business of this file.
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { LRUCache } from 'lru-cache';
import { Problem } from '../http/problem.js';
import { networkOf } from './address-network.js';

const windowMs = 60_000;

/** About 200 bytes each. Whoever has more networks than this to come from gets a fresh count in each anyway. */
const maxNetworks = 100_000;

interface Count {
  failures: number;
  endsAtMs: number;
  /** Look-ups whose outcome is not known yet. */
  pending: number;
  /** Called when one of them has ended. */
  waiting: (() => void)[];
}

export class FailedCredentials {
  private readonly counts = new LRUCache<string, Count>({ max: maxNetworks });

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {}

  /**
   * Does a look-up for a client, and counts it if it fails for the credential's sake. Never more are under way than may
   * still fail: however many come at once, the limit holds, and good keys only wait for their turn.
   * @throws Problem `rate_limited` without looking anything up
   */
  async whileAllowed<T>(address: string, lookUp: () => Promise<T>): Promise<T> {
    const count = await this.turnOf(address);
    count.pending += 1;
    try {
      return await lookUp();
    } catch (error) {
      if (isForTheCredential(error)) count.failures += 1;
      throw error;
    } finally {
      count.pending -= 1;
      for (const proceed of count.waiting.splice(0)) proceed();
    }
  }

  /** Counts a failure that was plain without a look-up. @throws Problem `rate_limited` once there were too many */
  add(address: string): void {
    const count = this.countOf(address);
    this.refuseAfterTooMany(count);
    count.failures += 1;
  }

  private async turnOf(address: string): Promise<Count> {
    for (;;) {
      const count = this.countOf(address);
      this.refuseAfterTooMany(count);
      if (count.failures + count.pending < this.perMinute) return count;
      await new Promise<void>((resolve) => count.waiting.push(resolve));
    }
  }

  private refuseAfterTooMany({ failures, endsAtMs }: Count): void {
    if (failures < this.perMinute) return;
    const seconds = Math.max(1, Math.ceil((endsAtMs - this.now()) / 1_000));
    throw new Problem('rate_limited', 'Too many requests from your address had no valid API key. Mend the key, then try again.', {
      headers: { 'retry-after': String(seconds) },
    });
  }

  /** The minute begins with the first request that needs counting. */
  private countOf(address: string): Count {
    const network = networkOf(address);
    const count = this.counts.get(network);
    if (count && this.now() < count.endsAtMs) return count;
    const fresh = { failures: 0, endsAtMs: this.now() + windowMs, pending: 0, waiting: [] };
    this.counts.set(network, fresh);
    return fresh;
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

/** An outage is not the client's doing. */
function isForTheCredential(error: unknown): boolean {
  return error instanceof ServiceError && ['unauthenticated', 'workspace_suspended', 'address_not_allowed'].includes(error.code);
}
